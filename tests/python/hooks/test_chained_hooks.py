"""Allocator hooks of others, installed before and after start(), below and above memtrace's, removed in any order."""

from __future__ import annotations

from building import Run

PREAMBLE = """
import allocations, layers, memtrace
from sums import assert_sums_agree
from allocations import OBJ, MEM, RAW, RAW_WITHOUT_GIL

SIZE = 123_457

def traces(size):
    return [trace for trace in memtrace.take_snapshot().traces if trace.size == size]

def count(layer):
    "How often a layer is called for one allocation and its end."
    before = layers.calls(layer)
    allocations.malloc(0, RAW, 40)
    allocations.free(0, RAW)
    return layers.calls(layer) - before

def assert_traced_once():
    for domain in (RAW, MEM, OBJ, RAW_WITHOUT_GIL):
        assert allocations.malloc(1, domain, SIZE)
        assert len(traces(SIZE)) == 1, (domain, traces(SIZE))
        assert allocations.realloc(1, domain, SIZE + 1)
        assert len(traces(SIZE)) == 0 and len(traces(SIZE + 1)) == 1, domain
        allocations.free(1, domain)
        assert len(traces(SIZE + 1)) == 0, domain
    assert_sums_agree()
"""


def test_hooks_installed_before(run: Run) -> None:
    run(
        PREAMBLE
        + """
layers.install(0)
assert count(0) == 2
for _ in range(3):
    memtrace.start(5)
    assert count(0) == 2
    assert_traced_once()
    memtrace.stop()
    assert layers.is_on_top(0)
layers.remove(0)
assert not layers.is_on_top(0) and count(0) == 0
"""
    )


def test_hooks_installed_after_start_survive_stop(run: Run) -> None:
    run(
        PREAMBLE
        + """
memtrace.start(5)
layers.install(0)
assert_traced_once()
memtrace.stop()
assert layers.is_on_top(0)
assert count(0) == 2
kept = [bytes(1000) for _ in range(100)]
for _ in range(3):
    # Ours are still in the chain: they must not be installed a second time.
    memtrace.start(5)
    assert_traced_once()
    memtrace.stop()
    assert layers.is_on_top(0) and count(0) == 2
# The owner puts back what he found: ours, long stopped.
layers.remove(0)
assert count(0) == 0
assert not memtrace.is_tracing()
memtrace.start(5)
assert_traced_once()
memtrace.stop()
assert memtrace.get_traced_memory() == (0, 0)
"""
    )


def test_hooks_removed_while_tracing(run: Run) -> None:
    run(
        PREAMBLE
        + """
memtrace.start(5)
layers.install(0)
kept = [bytes(1000) for _ in range(100)]
layers.remove(0)
assert_traced_once()
del kept
assert_sums_agree()
memtrace.stop()
memtrace.start(5)
assert_traced_once()
"""
    )


def test_hooks_below_that_take_ours_away(run: Run) -> None:
    """A layer installed before start() and removed after it: memtrace's hooks go with it, and come back by start()."""
    run(
        PREAMBLE
        + """
layers.install(0)
memtrace.start(5)
layers.remove(0)
allocations.malloc(2, OBJ, SIZE)
assert traces(SIZE) == []
assert_sums_agree()
memtrace.stop()
memtrace.start(5)
assert_traced_once()
allocations.free(2, OBJ)
assert count(0) == 0
memtrace.stop()
"""
    )


def test_layers_around_ours(run: Run) -> None:
    run(
        PREAMBLE
        + """
layers.install(0)
memtrace.start(5)
layers.install(1)
assert_traced_once()
memtrace.stop()
memtrace.start(2)
assert_traced_once()
assert count(0) == 2 and count(1) == 2
memtrace.stop()
assert count(0) == 2 and count(1) == 2
layers.remove(1)
memtrace.start(2)
assert_traced_once()
assert count(1) == 0
memtrace.stop()
# Removing the lowest takes with it whatever is above.
layers.remove(0)
assert count(0) == 0
memtrace.start(2)
assert_traced_once()
"""
    )


def test_a_layer_above_that_serves_blocks_itself(run: Run) -> None:
    """What a pool above keeps to itself cannot be seen. The rest is traced, and starting again does not build a loop."""
    run(
        PREAMBLE
        + """
memtrace.start(5)
layers.install(0)
layers.set(0, False, True, False)
memtrace.stop()
for _ in range(3):
    memtrace.start(5)
    assert_traced_once()
    small = [float(i) for i in range(1000)]
    memtrace.stop()
layers.set(0, False, False, False)
memtrace.start(5)
assert_traced_once()
memtrace.stop()
"""
    )


def test_a_layer_below_that_fails(run: Run) -> None:
    """No block, no trace; the program gets its MemoryError."""
    run(
        PREAMBLE
        + """
layers.install(0)
memtrace.start(5)
for domain in (RAW, MEM, OBJ, RAW_WITHOUT_GIL):
    assert allocations.malloc(0, domain, SIZE)
    layers.set(0, True, False, False)
    assert not allocations.malloc(1, domain, SIZE)
    assert not allocations.calloc(1, domain, SIZE, 2)
    assert not allocations.realloc(0, domain, SIZE * 2)
    try:
        bytearray(SIZE)
    except MemoryError:
        pass
    else:
        raise AssertionError("no MemoryError")
    layers.set(0, False, False, False)
    assert len(traces(SIZE)) == 1 and traces(SIZE * 2) == []
    allocations.free(0, domain)
    assert traces(SIZE) == []
assert_sums_agree()
"""
    )


def test_sizes_beyond_any_memory(run: Run) -> None:
    """Sizes at the borders of the block table's fields, from an allocator that does not really have that much."""
    run(
        PREAMBLE
        + """
import sys
layers.install(0)
layers.set(0, False, False, True)
memtrace.start(5)
sizes = [2**bits + extra for bits in range(27, 56) for extra in (-1, 0, 1)]
for size in sizes:
    for domain in (RAW, MEM, OBJ, RAW_WITHOUT_GIL):
        baseline = memtrace.get_traced_memory()[0]
        assert allocations.malloc(0, domain, size)
        (trace,) = traces(size)
        assert abs(memtrace.get_traced_memory()[0] - baseline - size) < 2**20, (size, domain)
        assert allocations.realloc(0, domain, size + 2)
        assert traces(size) == [] and len(traces(size + 2)) == 1
        assert allocations.realloc(0, domain, 50)
        assert traces(size + 2) == []
        allocations.free(0, domain)
        assert abs(memtrace.get_traced_memory()[0] - baseline) < 2**20
        status = memtrace._core.status()
        assert status["traced_bytes"] == status["bytes"]
# More than any address space has: not traced, and said so.
dropped = memtrace._core.status()["dropped"]
for domain in (RAW, MEM, OBJ, RAW_WITHOUT_GIL):
    assert allocations.malloc(0, domain, 2**60)
    assert traces(2**60) == []
    assert allocations.realloc(0, domain, 2**61)
    assert allocations.realloc(0, domain, SIZE)
    assert len(traces(SIZE)) == 1
    allocations.free(0, domain)
assert memtrace._core.status()["dropped"] == dropped + 8
(first, second, third) = (2**40, 2**35 + 1, 2**31 + 7)
for slot, size in enumerate((first, second, third)):
    assert allocations.malloc(slot, OBJ, size)
assert_sums_agree()
"""
    )


def test_tracemalloc_at_the_same_time(run: Run) -> None:
    """Either may start or stop first; each takes the other's memory for the program's or does not see it."""
    program = (
        PREAMBLE
        + """
import itertools, tracemalloc
for first, second in itertools.permutations((memtrace, tracemalloc)):
    for third, fourth in itertools.permutations((memtrace, tracemalloc)):
        first.start(3)
        second.start(3)
        kept = [[i, str(i), bytearray(i)] for i in range(300)]
        frames = [module.get_object_traceback(kept[-1][2])[-1] for module in (memtrace, tracemalloc)]
        assert frames[0].lineno == frames[1].lineno == 35, frames
        assert_traced_once()
        third.stop()
        del kept
        fourth.stop()
print("done")
"""
    )
    program = program.replace("== 35", f"== {program[: program.index('kept = [[')].count(chr(10)) + 1}")
    assert run(program) == "done\n"
    assert run(program, PYTHONTRACEMALLOC="5") == "done\n"
