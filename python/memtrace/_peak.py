"""The peak of the traced memory: of all of it, and inside of regions."""

from __future__ import annotations

from memtrace import _core
from memtrace._snapshot import Snapshot
from memtrace._tracer import _check_tracing, _wrap_snapshot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    _F = TypeVar("_F", bound=Callable[..., Any])


class PeakRegion(_core.PeakRegion):
    """The largest traced memory from one moment to another, and what it was made of.

    Made by :func:`peak`. While the ``with`` block runs, its properties tell of now; afterwards they
    stay as they were at its end. May be entered again, but not twice at once. Its methods may be
    called from any thread.
    """

    __slots__ = ("__weakref__", "_kept")

    _kept: tuple[int, Snapshot]  # of the span of that number, once looked at

    @property
    def snapshot(self) -> Snapshot:
        """What was alive at that moment: a snapshot with everything but single traces.

        Raises RuntimeError when the region has not been entered, when tracing has stopped inside,
        and when there was no memory for it.
        """
        span = self._spans
        kept: tuple[int, Snapshot] | None = getattr(self, "_kept", None)
        if kept is not None and kept[0] == span:
            return kept[1]
        native = self._at_peak()
        if native is None:
            raise RuntimeError(
                "the region was not entered, or tracing stopped in it, or there was no memory to keep it"
            )
        snapshot = _wrap_snapshot(native)
        if not self._is_open:
            self._kept = span, snapshot
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
                self._show(region)

        return in_each_call(function, own_region)

    def __repr__(self) -> str:
        state = "open" if self._is_open else "closed"
        return f"<memtrace.PeakRegion {state}, current={self.current}, peak={self.peak}>"


def peak() -> PeakRegion:
    """Return a region to look for the peak of the traced memory in, for ``with`` or as a decorator::

        with memtrace.peak() as p:
            work()
        print(p.peak, p.snapshot.statistics("lineno")[0])

    Any number of regions may be open at once, nested or not, in any threads; each sees all traced
    memory of the process. :func:`clear_traces` ends none: each goes on from there as if it had
    just begun. Entering and leaving copy the counters of all live records, 16 bytes and 6 to 14 ns each.

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
