"""Work for programs under memtrace and a neighbour, and what memtrace must say of it."""

from __future__ import annotations

import gc
import sys
import traceback
from types import ModuleType

import allocations

import memtrace

_DOMAINS = (allocations.RAW, allocations.MEM, allocations.OBJ, allocations.RAW_WITHOUT_GIL)


def drain() -> list[int]:
    """Keep what free lists hold: blocks older than the trace are in no answer, and how many there are is chance."""
    return list(range(5000, 6000))


class Node:
    """An object with a dictionary."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"node {number}"


def work() -> list[object]:
    """Allocate in every way that does not depend on what ran before, and keep it."""
    drained = drain()
    kept: list[object] = [bytearray(size) for size in range(100, 5000, 7)]
    kept += [Node(number) for number in range(1000, 1300)]
    kept += [str(number) * 9 for number in range(1000, 1200)]
    for slot, domain in enumerate(_DOMAINS):
        allocations.free(900 + slot, domain)
        allocations.malloc(900 + slot, domain, 10_000 + slot)
        allocations.realloc(900 + slot, domain, 20_000 + slot)
    kept.append(drained)
    return kept


def release() -> None:
    """Free what work() has left in the extension."""
    for slot, domain in enumerate(_DOMAINS):
        allocations.free(900 + slot, domain)


def lines(tracer: ModuleType = memtrace) -> list[tuple[int, int, int]]:
    """What memtrace, or tracemalloc, has by lines of work(): line, blocks, bytes."""
    gc.collect()
    snapshot = tracer.take_snapshot().filter_traces([tracer.Filter(True, __file__)])
    found = [(each.traceback[0].lineno, each.count, each.size) for each in snapshot.statistics("lineno")]
    first, end = (function.__code__.co_firstlineno for function in (Node.__init__, release))
    # Single blocks are the interpreter's: frame objects that a neighbour asked for, the loop's iterator.
    return sorted(line for line in found if first <= line[0] < end and line[1] >= len(_DOMAINS))


def agree(found: list[tuple[int, int, int]], expected: list[tuple[int, int, int]]) -> bool:
    """Whether two answers of lines() are the same but for single blocks, which free lists keep or have kept."""
    return len(found) == len(expected) and all(
        line == other and abs(count - others) <= 4 and abs(size - bytes_) <= 500
        for (line, count, size), (other, others, bytes_) in zip(found, expected, strict=True)
    )


def assert_traced_here() -> None:
    """Ask where an object of this line comes from: from the stack that the interpreter shows here."""
    made, stack = bytearray(50), traceback.extract_stack()
    found = memtrace.get_object_traceback(made)
    assert found is not None
    told = [(frame.filename, frame.lineno) for frame in found]
    # A line of 0 is the interpreter's None: an instruction of no line, when a frame is entered.
    expected = [(frame.filename, frame.lineno or 0) for frame in stack][-len(told) :]
    assert told == expected, f"{told}\n{expected}"
    assert len(told) == min(len(stack), memtrace.get_traceback_limit()), (len(told), len(stack))


def deeper(depth: int) -> None:
    """Ask the same from a recursion."""
    if depth > 0:
        deeper(depth - 1)
    assert_traced_here()
    if depth % 5 == 0:
        sys._getframe()  # a frame object changes who owns the frame
        assert_traced_here()
