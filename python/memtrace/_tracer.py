"""The tracer of this process: starting it, stopping it and asking it."""

from __future__ import annotations

import sys
from _operator import index

from memtrace import _core
from memtrace._snapshot import Snapshot
from memtrace._traceback import Traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtrace._types import FrameTuple, TraceTuple

_MAX_NFRAME = 65535


def _called_name() -> str:
    """Return the name by which the program knows this module."""
    return "tracemalloc" if sys.modules.get("tracemalloc") is sys.modules["memtrace"] else "memtrace"


def start(nframe: int = 1, /) -> None:
    """Start tracing Python's memory allocations, keeping up to *nframe* frames of each traceback.

    While tracing, only checks its argument. Raises ValueError unless *nframe* is from 1 to 65535.
    May be called from any thread; tracing covers all threads.
    """
    limit = index(nframe)
    if not -(2**31) <= limit < 2**31:
        raise OverflowError("Python int too large to convert to C int")
    if not 1 <= limit <= _MAX_NFRAME:
        raise ValueError(f"the number of frames must be in range [1; {_MAX_NFRAME}]")
    _core.start(limit)


def stop() -> None:
    """Stop tracing and forget all traces. Does nothing when not tracing."""
    _core.stop()


def is_tracing() -> bool:
    """Return whether memory allocations are being traced."""
    return _core.is_tracing()


def clear_traces() -> None:
    """Forget all traces, and set the traced memory and its peak to 0; go on tracing."""
    _core.clear_traces()


def reset_peak() -> None:
    """Set the peak of the traced memory to its current size. Does nothing when not tracing."""
    _core.reset_peak()


def get_traced_memory() -> tuple[int, int]:
    """Return the current and the peak size of all traced blocks, in bytes; zeros when not tracing."""
    return _core.get_traced_memory()


def get_traceback_limit() -> int:
    """Return the number of frames kept of each traceback.

    When not tracing, that of the last :func:`start`, or 1.
    """
    return _core.get_traceback_limit()


def get_memtrace_memory() -> int:
    """Return how many bytes of memory the tracer itself uses."""
    return _core.get_memtrace_memory()


def get_tracemalloc_memory() -> int:
    """Return how many bytes of memory the tracer itself uses: get_memtrace_memory()."""
    return _core.get_memtrace_memory()


def get_object_traceback(obj: object) -> Traceback | None:
    """Return where the memory of *obj* was allocated.

    None when not tracing, or when the allocation was not traced.
    """
    source = _core.get_object_traceback(obj)
    return None if source is None else Traceback._from_source(source)


def take_snapshot(*, blocks: bool = True) -> Snapshot:
    """Return a snapshot of the blocks that are traced now.

    Without *blocks* it is smaller and quicker to take, and has all but its :attr:`~Snapshot.traces`.
    Raises RuntimeError when not tracing.
    """
    if not _core.is_tracing():
        raise RuntimeError(f"the {_called_name()} module must be tracing memory allocations to take a snapshot")
    native = _core.take_snapshot(bool(blocks))
    return Snapshot._from_native(native, native.traceback_limit, in_process=True)


def _get_traces() -> list[TraceTuple]:
    if not _core.is_tracing():
        return []
    blocks = _core.Blocks(_core.take_snapshot(True))
    return blocks.read(0, 1, len(blocks))


def _get_object_traceback(obj: object, /) -> tuple[FrameTuple, ...] | None:
    traceback = get_object_traceback(obj)
    return None if traceback is None else traceback._frames[::-1]
