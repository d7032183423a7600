"""Numbers as typed arrays, which a browser reads without decoding them."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from itertools import pairwise
from typing import TypedDict

_INTEGERS = ((1 << 8, "B", "u8"), (1 << 16, "H", "u16"), (1 << 32, "I", "u32"))
_ALIGNMENT = 8


class Column(TypedDict):
    """Where a column is, and of what."""

    type: str
    offset: int
    length: int
    delta: bool
    """Each number but the first is how much it is more than the one before."""


class Columns:
    """Columns one after the other, each aligned."""

    def __init__(self) -> None:
        self._data = bytearray()

    def add(self, numbers: Iterable[int], *, delta: bool = False) -> Column:
        """Append integers that are not negative, ascending ones as differences with *delta*."""
        values = list(numbers)
        if delta:
            values[1:] = [number - before for before, number in pairwise(values)]
        largest = max(values, default=0)
        for end, code, name in _INTEGERS:
            if largest < end:
                return self._append(array(code, values), name, delta)
        return self._append(array("d", values), "f64", delta)

    def add_floats(self, numbers: Iterable[float]) -> Column:
        """Append numbers with fractions."""
        return self._append(array("d", numbers), "f64", False)

    def to_bytes(self) -> bytes:
        """Return all columns."""
        return bytes(self._data)

    def _append(self, values: array[int] | array[float], name: str, delta: bool) -> Column:
        if sys.byteorder == "big":
            values.byteswap()
        self._data.extend(bytes(-len(self._data) % _ALIGNMENT))
        column = Column(type=name, offset=len(self._data), length=len(values), delta=delta)
        self._data.extend(values.tobytes())
        return column
