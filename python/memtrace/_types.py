"""Names for the shapes of tracemalloc's tuples. For type checkers: nothing imports this at run time."""

from __future__ import annotations

from typing import Any, TypeAlias

FrameTuple: TypeAlias = tuple[str, int]
"""(filename, lineno)"""

FrameDetail: TypeAlias = tuple[str | None, int | None, int | None, int | None]
"""(function, end_lineno, colno, end_colno)"""

TraceTuple: TypeAlias = tuple[int, int, tuple[FrameTuple, ...], int | None]
"""(domain, size, frames, total_nframe), the frames most recent first"""

FilterForm: TypeAlias = tuple[Any, ...]
"""(kind, inclusive, argument, ...): a filter as the native library takes it; operands are forms, too"""

LinkTuple: TypeAlias = tuple[str, str, str, str, int]
"""(kind, name, type_name, object_name, address)"""

ChainTuple: TypeAlias = tuple[str, str, int, int, tuple[LinkTuple, ...]]
"""(root kind, root name, links before those that are left out, objects left out, links)"""
