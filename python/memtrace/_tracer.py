"""What the tracer of this process has seen, as values of the package."""

from __future__ import annotations

import sys

from memtrace import _core
from memtrace._snapshot import Snapshot
from memtrace._tags import _name_generation, _name_threads
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


def take_snapshot(*, blocks: bool = True, mark: bool | str = False, types: bool = False) -> Snapshot:
    """Return a snapshot of the blocks that are traced now.

    Without *blocks* it is smaller and quicker to take, and has all but its :attr:`~Snapshot.traces`.
    With *mark*, which may be a name, a generation begins at its very moment, as by :func:`mark`: it is
    the snapshot's :attr:`~Snapshot.mark`, and what compares a later snapshot with this one can tell
    what has survived.
    With *types*, each block has the type of the Python object that it is, or is a part of, for
    ``statistics('type')``. They are found in memory now: tracing costs nothing for it, the snapshot
    about a microsecond a block, in which no other thread runs. The program is left as it is.

    Raises RuntimeError when not tracing, TypeError when *mark* is neither a bool nor a text, and
    PermissionError when the system does not let a process read its own memory, with *types*.
    """
    if not isinstance(mark, bool | str):
        raise TypeError(f"mark must be a bool or a name, not {type(mark).__name__}")
    _check_tracing("to take a snapshot")
    take = _core.take_typed_snapshot if types else _core.take_snapshot
    snapshot = _wrap_snapshot(take(bool(blocks), mark is not False))
    if isinstance(mark, str):
        _name_generation(snapshot._to_native().mark, mark)
    return snapshot


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
