"""The binding gives back every reference, also when it raises."""

from __future__ import annotations

import gc
import pickle
import sys
from collections.abc import Callable
from typing import Any

import pytest

import memtrace

TRACES = [(size % 3, size, ((f"{size % 50}.py", size), ("main.py", size % 7)), size % 5) for size in range(300)]
SNAPSHOT = memtrace.Snapshot(TRACES, 4)
NATIVE = SNAPSHOT.filter_traces([])
OTHER = memtrace.Snapshot(TRACES[:200], 4)


class Half:
    """A number until somebody asks."""

    def __index__(self) -> int:
        raise RuntimeError("not today")


def rejected(call: Callable[[], Any]) -> None:
    with pytest.raises((TypeError, ValueError, RuntimeError, AttributeError)):
        call()


OPERATIONS: dict[str, Callable[[], Any]] = {
    "from_traces": lambda: memtrace.Snapshot(TRACES, 4).statistics("lineno"),
    "statistics": lambda: [str(group) for key in ("lineno", "module") for group in NATIVE.statistics(key)],
    "statistics not looked at": lambda: NATIVE.statistics("traceback"),
    "compare_to": lambda: [repr(group) for group in NATIVE.compare_to(OTHER, "traceback")],
    "filter_traces": lambda: NATIVE.filter_traces(
        [memtrace.Filter(True, "[1-4]*.py"), memtrace.DomainFilter(False, 2)]
    ),
    "traces": lambda: [trace.traceback[0].function for trace in NATIVE.traces],
    "tuples": lambda: NATIVE.traces._traces,
    "slices": lambda: NATIVE.traces[::-7],
    "bytes": lambda: pickle.loads(pickle.dumps(NATIVE)).traces == NATIVE.traces,
    "bad trace": lambda: rejected(
        lambda: memtrace.Snapshot([*TRACES, (0, 1, (("a", "b"),), 1)], 4).statistics("lineno")
    ),
    "raising trace": lambda: rejected(lambda: memtrace.Snapshot([(Half(), 1, (("a", 1),), 1)], 4).statistics("lineno")),
    "bad filter": lambda: rejected(lambda: NATIVE._to_native().filter_traces([(True, 5, None, False, None)])),  # type: ignore[list-item]
    "bad class": lambda: rejected(lambda: NATIVE._to_native().statistics(("lineno",), False, int, None)),
    "bad bytes": lambda: rejected(lambda: memtrace._core.Snapshot.from_bytes(b"no snapshot")),
}


def growth(operation: Callable[[], Any], times: int) -> int:
    gc.collect()
    before = sys.getallocatedblocks()
    for _ in range(times):
        operation()
    gc.collect()
    return sys.getallocatedblocks() - before


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_leak(name: str) -> None:
    # Free lists fill up now and then; a leak grows every time, by a block or more.
    assert min(growth(OPERATIONS[name], 30) for _ in range(5)) < 30
