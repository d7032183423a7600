"""What the tracer of this process has seen, as values of the package."""

from __future__ import annotations

import sys

from memtrace import _core
from memtrace._snapshot import Snapshot
from memtrace._tags import _name_threads
from memtrace._traceback import Traceback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memtrace._types import FrameTuple, TraceTuple


def _called_name() -> str:
    """Return the name by which the program knows this module."""
    return "tracemalloc" if sys.modules.get("tracemalloc") is sys.modules["memtrace"] else "memtrace"


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
    _check_tracing("to take a snapshot")
    return _wrap_snapshot(_core.take_snapshot(bool(blocks)))


def _check_tracing(purpose: str) -> None:
    if not _core.is_tracing():
        raise RuntimeError(f"the {_called_name()} module must be tracing memory allocations {purpose}")


def _wrap_snapshot(native: _core.Snapshot) -> Snapshot:
    _name_threads()
    return Snapshot._from_native(native, native.traceback_limit, in_process=True)


def _get_traces() -> list[TraceTuple]:
    if not _core.is_tracing():
        return []
    blocks = _core.Blocks(_core.take_snapshot(True))
    return blocks.tuples(0, 1, len(blocks))


def _get_object_traceback(obj: object, /) -> tuple[FrameTuple, ...] | None:
    traceback = get_object_traceback(obj)
    return None if traceback is None else traceback._frames[::-1]
