"""Reads a page back: what its data say, as the browser is to understand them."""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from array import array
from pathlib import Path
from typing import Any

_DATA = re.compile(r'<script type="application/octet-stream" id="data">([A-Za-z0-9+/=]*)</script>')
_CODES = {"u8": "B", "u16": "H", "u32": "I", "f64": "d"}

Frame = tuple[str, int, str | None]
Amount = tuple[int, int]


class Page:
    """The data of a page, or those that encode() has made."""

    def __init__(self, compressed: bytes) -> None:
        self.data = zlib.decompress(compressed)
        (length,) = struct.unpack_from("<I", self.data)
        self.header: dict[str, Any] = json.loads(self.data[4 : 4 + length])
        self._start = -(-(4 + length) // 8) * 8

    @classmethod
    def of(cls, path: Path) -> Page:
        return cls.within(path.read_text("utf-8"))

    @classmethod
    def within(cls, text: str) -> Page:
        found = _DATA.findall(text)
        assert len(found) == 1
        return cls(base64.b64decode(found[0]))

    def column(self, column: dict[str, Any]) -> list[Any]:
        values = array(_CODES[column["type"]])
        begin = self._start + column["offset"]
        values.frombytes(self.data[begin : begin + column["length"] * values.itemsize])
        numbers = list(values)
        if column["delta"]:
            for place in range(1, len(numbers)):
                numbers[place] += numbers[place - 1]
        return numbers

    def stacks(self) -> list[tuple[Frame, ...]]:
        """The frames of each node, from the outside in."""
        header = self.header
        names = ("frame_file", "frame_line", "frame_function")
        frames = [
            (header["files"][file], line, header["functions"][function])
            for file, line, function in zip(*(self.column(header[name]) for name in names), strict=True)
        ]
        stacks: list[tuple[Frame, ...]] = []
        ups, of_nodes = self.column(header["node_up"]), self.column(header["node_frame"])
        for node, (up, frame) in enumerate(zip(ups, of_nodes, strict=True)):
            assert (up == 0) == (node == 0)
            stacks.append((*stacks[node - up], frames[frame]) if node else ())
        return stacks

    def view(self, kind: str) -> dict[str, Any]:
        (view,) = [view for view in self.header["views"] if view["kind"] == kind]
        return view

    def amounts(self, raw: dict[str, Any]) -> dict[tuple[Frame, ...], Amount]:
        stacks = self.stacks()
        columns = (self.column(raw[name]) for name in ("node", "size", "count"))
        found = [(stacks[node], (int(size), int(count))) for node, size, count in zip(*columns, strict=True)]
        assert len(dict(found)) == len(found)
        return dict(found)
