"""Snapshots that tracemalloc.Snapshot.dump() wrote: a pickle, read without running anything.

Nothing is imported or called: the classes that the pickle may name are stood in for by empty ones,
made anew for each file, and their attributes are then taken over as plain data.
"""

from __future__ import annotations

import io
import pickle

from memtrace import _core
from memtrace._attributes import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.stand_ins = {name: type(name, (), {}) for name in ("Snapshot", "_Traces")}

    def find_class(self, module: str, name: str) -> type:
        if module != "tracemalloc" or name not in self.stand_ins:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return self.stand_ins[name]


def looks_like_pickle(data: bytes) -> bool:
    """Return whether *data* begins as a pickle of protocol 2 or later does."""
    return data[:1] == pickle.PROTO


def read(data: bytes) -> tuple[_core.Snapshot, dict[str, Any]]:
    """Return the snapshot and the user's own attributes of it.

    Raises ValueError, naming the offset up to which the file was read, when *data* is a damaged
    pickle or one of something else.
    """
    file = io.BytesIO(data)
    try:
        attributes = dict(vars(_Unpickler(file).load()))
        traces = vars(attributes.pop("traces"))["_traces"]
        limit = attributes.pop("traceback_limit")
        if not isinstance(traces, (list, tuple)):
            raise TypeError(f"its traces are no list but {type(traces).__name__}")
        encode(attributes)  # refuses what could not be written again
        return _core.Snapshot.from_traces(traces, limit), attributes
    except Exception as error:  # a damaged pickle raises anything
        reason = str(error) or type(error).__name__
        raise ValueError(f"at offset {file.tell()}: not a snapshot of tracemalloc: {reason}") from None
