"""One traced block, and the sequence of all blocks of a snapshot."""

from __future__ import annotations

from _collections_abc import Sequence

from memtrace import _core
from memtrace._size import _format_size
from memtrace._traceback import Traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, overload

    from memtrace._core import Dictionary
    from memtrace._types import TraceTuple


class Trace:
    """One live block: its domain, its size in bytes and where it was allocated.

    A value: equality and hashing look at all three, and it is safe to share between threads.
    """

    __slots__ = ("_source", "_trace", "_traceback")

    _source: tuple[Dictionary, int]
    _trace: TraceTuple
    _traceback: Traceback

    def __init__(self, trace: TraceTuple) -> None:
        self._trace = trace

    def __getattr__(self, name: str) -> Any:
        # Only what is not set yet comes here. The binding fills in _source.
        if name == "_traceback":
            source = getattr(self, "_source", None)
            if source is not None:
                self._traceback = Traceback._from_source(source, self._trace[3])
            else:
                self._traceback = Traceback(*self._trace[2:])
            return self._traceback
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        return None, {"_trace": self._trace, "_traceback": self._traceback}

    @property
    def domain(self) -> int:
        """The address space of the block: 0 for Python's own memory, or an extension's number."""
        return self._trace[0]

    @property
    def size(self) -> int:
        """Size of the block in bytes, as it was asked for."""
        return self._trace[1]

    @property
    def traceback(self) -> Traceback:
        """Where the block was allocated."""
        return self._traceback

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Trace):
            return NotImplemented
        return self._trace == other._trace

    def __hash__(self) -> int:
        return hash(self._trace)

    def __str__(self) -> str:
        return f"{self.traceback}: {_format_size(self.size, False)}"

    def __repr__(self) -> str:
        return f"<Trace domain={self.domain} size={_format_size(self.size, False)}, traceback={self.traceback!r}>"


class _Traces(Sequence[Trace]):
    """The blocks of a snapshot that was built from tuples."""

    def __init__(self, traces: Sequence[TraceTuple]) -> None:
        self._literal = traces

    @property
    def _traces(self) -> Sequence[TraceTuple]:
        return self._literal

    def __len__(self) -> int:
        return len(self._traces)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Trace: ...
        @overload
        def __getitem__(self, index: slice) -> tuple[Trace, ...]: ...

    def __getitem__(self, index: int | slice) -> Trace | tuple[Trace, ...]:
        if isinstance(index, slice):
            return tuple(map(Trace, self._traces[index]))
        return Trace(self._traces[index])

    def __contains__(self, trace: Any) -> bool:
        return trace._trace in self._traces

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, _Traces):
            return NotImplemented
        return self._traces == other._traces

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return _Traces, (self._traces,)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # As tracemalloc pickles one.
        self._literal = state["_traces"]

    def __repr__(self) -> str:
        return f"<Traces len={len(self)}>"


class _BlockTraces(_Traces):
    """The blocks of a native snapshot, made into traces when they are looked at."""

    _RUN = 2048  # blocks made at a time while iterating

    def __init__(self, snapshot: _core.Snapshot) -> None:
        self._snapshot = snapshot
        self._blocks = _core.Blocks(snapshot)

    @property
    def _traces(self) -> list[TraceTuple]:
        return self._blocks.tuples(0, 1, len(self))

    def __len__(self) -> int:
        return len(self._blocks)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: int) -> Trace: ...
        @overload
        def __getitem__(self, index: slice) -> tuple[Trace, ...]: ...

    def __getitem__(self, index: int | slice) -> Trace | tuple[Trace, ...]:
        positions = range(len(self))[index]
        if isinstance(positions, range):
            return tuple(self._blocks.objects(positions.start, positions.step, len(positions), Trace))
        return self._blocks.objects(positions, 1, 1, Trace)[0]

    def __iter__(self) -> Iterator[Trace]:
        for run in self._runs():
            yield from self._blocks.objects(run.start, 1, len(run), Trace)

    def __contains__(self, trace: Any) -> bool:
        wanted = trace._trace
        return any(wanted in self._blocks.tuples(run.start, 1, len(run)) for run in self._runs())

    def __eq__(self, other: object) -> bool:
        if isinstance(other, _BlockTraces):
            return self._snapshot.same_blocks(other._snapshot)
        return super().__eq__(other)

    __hash__ = None

    def _runs(self) -> Iterator[range]:
        everything = range(len(self))
        for start in everything[:: self._RUN]:
            yield everything[start : start + self._RUN]
