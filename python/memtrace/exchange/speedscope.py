"""speedscope's own JSON, for https://www.speedscope.app: a sampled profile of bytes and one of blocks."""

from __future__ import annotations

import json
from typing import Any

from memtrace.exchange.records import Place, Records, encodable, function_name
from memtrace.exchange.stacks import by_stack


def encode(records: Records, title: str) -> bytes:
    """Return the file. *title* is shown above the graph."""
    stacks = by_stack(records)
    frames: dict[Place, int] = {}
    samples = [[frames.setdefault(place, len(frames)) for place in stack] for stack in stacks]
    profiles = [
        _profile("live bytes", "bytes", samples, [live.size for live in stacks.values()]),
        _profile("live blocks", "none", samples, [live.blocks for live in stacks.values()]),
    ]
    document = {
        "$schema": "https://www.speedscope.app/file-format-schema.json",
        "name": encodable(title),
        "exporter": "memtrace",
        "activeProfileIndex": 0,
        "shared": {"frames": [_frame(place) for place in frames]},
        "profiles": profiles,
    }
    return json.dumps(document).encode()


def _frame(place: Place) -> dict[str, Any]:
    name = function_name(place)
    return {"name": encodable(name), "file": encodable(place.filename), "line": place.lineno}


def _profile(name: str, unit: str, samples: list[list[int]], weights: list[int]) -> dict[str, Any]:
    return {
        "type": "sampled",
        "name": name,
        "unit": unit,
        "startValue": 0,
        "endValue": sum(weights),
        "samples": samples,
        "weights": weights,
    }
