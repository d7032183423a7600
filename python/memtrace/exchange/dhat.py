"""DHAT's JSON, version 2: Valgrind's format for heap profiles.

The Firefox Profiler loads it as allocations: flame graphs of what was allocated in all, at the peak and at the end.
So does Valgrind's own dh_view.html. What was allocated is known of snapshots with churn; in others it is what is live.
"""

from __future__ import annotations

import json
from typing import Any

from memtrace.exchange.records import Place, Records, encodable, function_name
from memtrace.exchange.stacks import PlainStacks


def encode(records: Records, title: str) -> bytes:
    """Return the file. *title* is shown as the command."""
    sums: dict[tuple[Place, ...], list[int]] = {}
    plain = PlainStacks()
    for record in records.records:
        amounts = sums.setdefault(plain.of(record), [0, 0, 0, 0])
        churn = record.churn
        allocated = (churn.allocated_size, churn.allocated_count) if churn else (0, 0)
        if not records.has_churn:
            allocated = (record.size, record.blocks)
        for i, amount in enumerate((*allocated, record.size, record.blocks)):
            amounts[i] += amount
    frames: dict[Place, int] = {}
    points = [
        _point(amounts, [frames.setdefault(place, len(frames)) + 1 for place in reversed(stack)])
        for stack, amounts in sums.items()
    ]
    microseconds = round(records.seconds * 1e6)
    document = {
        "dhatFileVersion": 2,
        "mode": "heap",
        "verb": "Allocated",
        "bklt": True,
        "bkacc": False,
        "tu": "µs",
        "Mtu": "s",
        "tuth": 10,
        "cmd": encodable(title),
        "pid": 0,
        "tg": microseconds,
        "te": microseconds,
        "pps": points,
        "ftbl": ["[root]", *(_frame(place, number) for number, place in enumerate(frames))],
    }
    return json.dumps(document).encode()


def _point(amounts: list[int], frames: list[int]) -> dict[str, Any]:
    """Return one place: totals, then the same live bytes and blocks at its own peak, at that of all, and at the end."""
    size, blocks, live_size, live_blocks = amounts
    live = {f"{moment}{kind}": amount for moment in "mge" for kind, amount in (("b", live_size), ("bk", live_blocks))}
    return {"tb": size, "tbk": blocks, "tl": 0, **live, "fs": frames}


def _frame(place: Place, number: int) -> str:
    name = function_name(place)
    text = f"0x{number + 1:x}: {name} ({place.filename}:{place.lineno})"
    return " ".join(encodable(text).splitlines())
