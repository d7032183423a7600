"""The peak of the traced memory: of all of it, and inside of regions."""

from __future__ import annotations

from memtrace import _core
from memtrace._snapshot import Snapshot
from memtrace._tracer import _check_tracing, _wrap_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Any, Self, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])


class PeakRegion:
    """The largest traced memory from one moment to another, and what it was made of.

    Made by :func:`peak`. While the ``with`` block runs, its properties tell of now; afterwards they
    stay as they were at its end. May be entered again, but not twice at once. Its methods may be
    called from any thread.
    """

    __slots__ = ("__weakref__", "_native", "_snapshot")

    _snapshot: Snapshot | None  # of the end, once looked at

    def __init__(self) -> None:
        self._native = _core.PeakRegion()
        self._snapshot = None

    def __enter__(self) -> Self:
        try:
            self._native.enter()
        except RuntimeError:
            _check_tracing("to look for a peak")
            raise
        self._snapshot = None
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._native.leave()

    @property
    def current(self) -> int:
        """Bytes traced now, or at the end of the region; 0 when not tracing."""
        return self._native.current

    @property
    def peak(self) -> int:
        """Largest number of bytes traced at one time inside of the region.

        Counts all traced blocks, those from before the region as well, as :func:`get_traced_memory`
        does. 0 when tracing has stopped inside. Where threads allocate without the main
        interpreter's GIL, each can hide up to 64 KiB; without such threads it is exact.
        """
        return self._native.peak

    @property
    def snapshot(self) -> Snapshot:
        """What was alive at that moment: a snapshot with everything but single traces.

        Raises RuntimeError when the region has not been entered, when tracing has stopped inside,
        and when there was no memory for it.
        """
        if self._snapshot is not None:
            return self._snapshot
        native = self._native.at_peak()
        if native is None:
            raise RuntimeError(
                "the region was not entered, or tracing stopped in it, or there was no memory to keep it"
            )
        snapshot = _wrap_snapshot(native)
        if not self._native.is_open:
            self._snapshot = snapshot
        return snapshot

    def __call__(self, function: _F) -> _F:
        """Return *function* with each of its calls in a region of its own.

        This object shows the region of the call that ended last. Of a coroutine function it is the
        time from the first step to the last.
        """
        from contextlib import contextmanager

        from memtrace._decorator import in_each_call

        @contextmanager
        def own_region() -> Iterator[None]:
            region = PeakRegion()
            try:
                with region:
                    yield
            finally:
                self._native, self._snapshot = region._native, None

        return in_each_call(function, own_region)

    def __repr__(self) -> str:
        state = "open" if self._native.is_open else "closed"
        return f"<memtrace.PeakRegion {state}, current={self.current}, peak={self.peak}>"


def peak() -> PeakRegion:
    """Return a region to look for the peak of the traced memory in, for ``with`` or as a decorator::

        with memtrace.peak() as p:
            work()
        print(p.peak, p.snapshot.statistics("lineno")[0])

    Any number of regions may be open at once, nested or not, in any threads; each sees all traced
    memory of the process. :func:`clear_traces` ends none: each goes on from there as if it had
    just begun. Entering and leaving copy the counters of all records, 16 bytes each.

    Entering raises RuntimeError when not tracing, and when this region is open already.
    """
    return PeakRegion()


def take_peak_snapshot() -> Snapshot:
    """Return what was alive at the peak of the traced memory: the second number of :func:`get_traced_memory`.

    Since :func:`start`, :func:`clear_traces` or :func:`reset_peak`. The snapshot has all but its
    :attr:`~Snapshot.traces`. Exact, but for what threads allocate without the main interpreter's
    GIL: each can hide up to 64 KiB. Raises RuntimeError when not tracing.
    """
    _check_tracing("to take a snapshot")
    return _wrap_snapshot(_core.take_peak_snapshot())
