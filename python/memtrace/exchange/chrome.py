"""A sampling heap profile of V8, ``.heapprofile``: Chrome's DevTools load it in their Memory panel.

So do those of Edge, Visual Studio Code and speedscope: as a flame graph and as a table of functions, by bytes. It is
their one format for allocations; trace events, which Chrome and Perfetto load as well, know of times alone.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from memtrace.exchange.records import Place, Records, encodable, function_name
from memtrace.exchange.stacks import Node, as_tree


def encode(records: Records, title: str) -> bytes:
    """Return the file."""
    scripts: dict[str, int] = {}
    # Most frames are called from many others.
    frame_of = cache(lambda place: json.dumps(_call_frame(place, scripts.setdefault(place.filename, len(scripts)))))
    samples: list[dict[str, int]] = []
    parts = ['{"head": ']
    # Not by recursion, nor json's: tracebacks are deeper than Python's stack.
    pending: list[Node | str] = [as_tree(records, "(root)")]
    while pending:
        node = pending.pop()
        if isinstance(node, str):
            parts.append(node)
            continue
        number = len(samples) + 1
        samples.append({"size": node.size, "nodeId": number, "ordinal": number})
        frame = frame_of(node.place)
        parts.append(f'{{"callFrame": {frame}, "selfSize": {node.size}, "id": {number}, "children": [')
        pending.append("]}")
        for i, child in enumerate(node.children.values()):
            pending += (", ", child) if i else (child,)
    parts.append(f', "samples": {json.dumps([sample for sample in samples if sample["size"]])}}}')
    return "".join(parts).encode()


def _call_frame(place: Place, script: int) -> dict[str, Any]:
    return {
        "functionName": encodable(function_name(place)),
        "scriptId": str(script),
        "url": encodable(place.filename),
        "lineNumber": place.lineno - 1,  # from 0; -1 is unknown
        "columnNumber": -1,
    }
