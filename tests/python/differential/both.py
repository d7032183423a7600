"""The same seeded random data for tracemalloc and memtrace, and what they make of it in comparable form."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import memtrace

FILENAMES = (
    "a.py", "b.py", "c.pyc", "pkg/a.py", "pkg/__init__.py", "/usr/lib/python3/json/decoder.py",
    "<unknown>", "<string>", "<frozen importlib._bootstrap>", "", "[x].py", "ä.py", "日本.py",
    "\udc80.py", "😀.py", "A.py", "a.PY", "x\ny.py",
)  # fmt: skip
PATTERNS = (
    "*", "", "a.py", "a.pyc", "*.py", "*.pyc", "?.py", "[ab].py", "[!ab].py", "[a-c].*", "[]a].py",
    "[!]a].py", "[[]x].py", "[c-a].py", "[", "[a", "pkg/*", "*/json/*", "<*>", "?", "??.py", "*a*",
    "[\udc80-\udcff].py", "[ä-ö].py", "*\n*", "[!-~].py", "[a\\].py", "\\a.py", "[a-]*", "[-a]*",
    "[--a]*", "**.py", "*?*", "[^a].py", "[&&a].py", "[a||b].py",
)  # fmt: skip


@dataclass
class Pair:
    """One thing as both modules have it."""

    stdlib: Any
    ours: Any


def random_frames(rng: random.Random) -> tuple[tuple[str, int], ...]:
    return tuple((rng.choice(FILENAMES), rng.choice((0, 1, 2, 3, 7, 2**31 - 1))) for _ in range(rng.randint(1, 4)))


def random_traces(rng: random.Random, count: int) -> list[tuple[int, int, tuple[tuple[str, int], ...], int]]:
    stacks = [random_frames(rng) for _ in range(rng.randint(1, 40))]
    return [
        (
            rng.choice((0, 0, 0, 1, 389047, 2**32 - 1)),
            rng.choice((0, 1, 10, 100, 2**33)),
            frames,
            len(frames) + extra,
        )
        for frames, extra in ((rng.choice(stacks), rng.randint(0, 2)) for _ in range(count))
    ]


def snapshots(traces: list[Any], limit: int = 4) -> Pair:
    return Pair(tracemalloc.Snapshot(list(traces), limit), memtrace.Snapshot(list(traces), limit))


def plain(group: Any) -> tuple[Any, ...]:
    """Everything that can be seen of a statistic, without its class."""
    numbers = [getattr(group, name, None) for name in ("size", "size_diff", "count", "count_diff")]
    traceback = group.traceback
    return (
        tuple((frame.filename, frame.lineno) for frame in traceback),
        traceback.total_nframe,
        numbers,
        str(group),
        repr(group),
        hash(group),
    )


def outcome(call: Callable[[ModuleType], Any], module: ModuleType) -> tuple[Any, ...]:
    """What a call gives or raises; a message names either module as "tracemalloc"."""
    try:
        return "returns", call(module)
    except Exception as error:
        return (
            "raises",
            type(error),
            str(error).replace("memtrace", "tracemalloc").replace("_tracemalloc", "tracemalloc"),
        )


def assert_same(call: Callable[[ModuleType], Any]) -> None:
    assert outcome(call, memtrace) == outcome(call, tracemalloc)
