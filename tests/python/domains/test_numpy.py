"""What numpy and pandas hold, to the byte as tracemalloc tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from building import Run

ARRAYS = Path(__file__).with_name("arrays.py")


def held(run: Run, tracer: str, imported: str, *options: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(ARRAYS, arguments=(tracer, imported, *options)))
    return answer


@pytest.mark.parametrize("imported", ["before", "after"])
def test_arrays_and_tables(imported: str, run: Run) -> None:
    """The same seeded program under either tracer or under both; numpy imported before start(), and after."""
    expected = held(run, "tracemalloc", imported)["tracemalloc"]
    assert any(checkpoint.get("389047 bytes", 0) > 1_000_000 for checkpoint in expected)
    assert any(checkpoint.get("424242 bytes", 0) > 0 for checkpoint in expected)
    assert held(run, "memtrace", imported)["memtrace"] == expected
    assert held(run, "both", imported) == {"tracemalloc": expected, "memtrace": expected}


def test_an_array_is_counted_once(run: Run) -> None:
    run("""
import memtrace
memtrace.start(5)
import numpy
SIZE = 50_000_019
array = numpy.zeros(SIZE, dtype="u1")
assert [t.domain for t in memtrace.take_snapshot().traces if t.size == SIZE] == [389047]
assert SIZE <= memtrace.take_snapshot().statistics("domain")[0].size
assert memtrace.take_snapshot().statistics("domain")[0].key == "numpy"
array.resize(2 * SIZE, refcheck=False)
assert [t.domain for t in memtrace.take_snapshot().traces if t.size in (SIZE, 2 * SIZE)] == [389047]
del array
assert not [t for t in memtrace.take_snapshot().traces if t.size in (SIZE, 2 * SIZE)]
""")
