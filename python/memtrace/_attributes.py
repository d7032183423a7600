"""A user's own attributes of a snapshot, as bytes in its file.

Only plain data: a file is read back without importing or calling anything.
"""

from __future__ import annotations

import io
import pickle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_PROTOCOL = 5


class _PlainPickler(pickle.Pickler):
    def reducer_override(self, value: object) -> NoReturn:
        raise TypeError(f"a snapshot file cannot hold an attribute of type {type(value).__name__}")


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"attributes of a snapshot name {module}.{name}")


def encode(attributes: dict[str, Any]) -> bytes:
    """Return *attributes* as bytes; TypeError when one is not made of built-in values."""
    if not attributes:
        return b""
    output = io.BytesIO()
    _PlainPickler(output, _PROTOCOL).dump(attributes)
    return output.getvalue()


def decode(data: bytes) -> dict[str, Any]:
    """Return what encode() was given; ValueError when *data* is something else."""
    if not data:
        return {}
    try:
        attributes = _PlainUnpickler(io.BytesIO(data)).load()
    except Exception as error:
        raise ValueError(f"its attributes cannot be read: {error}") from None
    if not isinstance(attributes, dict) or not all(isinstance(name, str) for name in attributes):
        raise ValueError("its attributes cannot be read: they have no names")
    return attributes
