"""Blocks that CPython reuses without asking an allocator: who owns them by the tracer's account."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from building import Run
from sums import assert_sums_agree

import memtrace

Start = Callable[[int], None]

# CPython tells of such blocks from 3.13 on; before, they keep the trace of their first owner.
TELLS = sys.version_info >= (3, 13)


def first_float(value: float) -> float:
    return value + 1.5


def second_float(value: float) -> float:
    return value + 2.5


def first_list(value: Any) -> list[Any]:
    return [value]


def second_list(value: Any) -> list[Any]:
    return [value]


def first_tuple(value: Any) -> tuple[Any, ...]:
    return (value, value)


def second_tuple(value: Any) -> tuple[Any, ...]:
    return (value, value)


def first_dict(value: Any) -> dict[str, Any]:
    return {"key": value}


def second_dict(value: Any) -> dict[str, Any]:
    return {"key": value}


PAIRS = {
    "float": (first_float, second_float),
    "list": (first_list, second_list),
    "tuple": (first_tuple, second_tuple),
    "dict": (first_dict, second_dict),
}


@pytest.fixture
def tracing_drained(tracing: Start) -> Iterator[Start]:
    """Start tracing with free lists that hold no block from before, which no trace would ever know."""
    taken: list[Any] = []

    def start(nframe: int) -> None:
        tracing(nframe)  # first: what is freed in between would be a block from before
        taken.extend((first_float(float(n)), first_list(n), first_tuple(n), first_dict(n)) for n in range(3000))

    yield start
    taken.clear()


def owner(obj: object) -> str | None:
    """The function that made it; None for a block that was there before the trace."""
    traceback = memtrace.get_object_traceback(obj)
    return None if traceback is None else traceback[-1].function


@pytest.mark.parametrize("kind", PAIRS)
def test_a_reused_block_gets_its_new_owner(kind: str, tracing_drained: Start) -> None:
    first, second = PAIRS[kind]
    tracing_drained(5)
    reused = 0
    for turn in range(300):
        # Several at once, so that the free list is drawn upon in more than one order.
        before: list[Any] = [first(float(turn + i)) for i in range(turn % 5 + 1)]
        addresses = {id(obj) for obj in before}
        assert {owner(obj) for obj in before} <= {None, first.__name__} or not TELLS
        del before
        after: list[Any] = [second(float(turn + i)) for i in range(turn % 5 + 1)]
        again = [obj for obj in after if id(obj) in addresses and owner(obj) is not None]
        reused += len(again)
        assert {owner(obj) for obj in after} <= {None, second.__name__} or not TELLS
        del after, again
    assert reused > 100
    assert_sums_agree()


@pytest.mark.parametrize("kind", PAIRS)
def test_reuse_changes_no_size_and_no_total(kind: str, tracing_drained: Start) -> None:
    first, second = PAIRS[kind]
    kept = [first(0.0)]
    tracing_drained(5)
    for _ in range(50):
        # A block of the trace's own time on the free list.
        kept[0] = first(1.0)
        before = memtrace.get_traced_memory()
        kept[0] = second(1.0)
        kept[0] = first(1.0)
        after = memtrace.get_traced_memory()
    # Whatever the measuring itself takes, nothing of it is left each time.
    assert abs(after[0] - before[0]) < 500
    assert_sums_agree()


def test_blocks_older_than_the_trace_stay_unknown(tracing: Start) -> None:
    """As with tracemalloc: reuse gives a block another owner, and never a trace it did not have."""
    pool = [float(number) for number in range(40)]
    addresses = {id(obj) for obj in pool}
    tracing(5)
    del pool
    after = [second_float(float(number)) for number in range(40)]
    reused = [obj for obj in after if id(obj) in addresses]
    assert reused
    assert all(memtrace.get_object_traceback(obj) is None for obj in reused)
    assert_sums_agree()


def test_recursive_containers(tracing_drained: Start) -> None:
    """Tuples, lists and dicts in one another, deallocated in cascades; the owner is right for every single one."""
    tracing_drained(3)

    def build(depth: int) -> Any:
        return [(build(depth - 1), 1.5 * depth), {"depth": depth}] if depth else [depth]

    def check(obj: Any) -> int:
        checked = 0
        if isinstance(obj, (list, tuple, dict)) and memtrace.get_object_traceback(obj) is not None:
            assert not TELLS or str(owner(obj)).endswith(("build", "check"))
            checked = 1
        items = obj.values() if isinstance(obj, dict) else obj if isinstance(obj, (list, tuple)) else ()
        return checked + sum(check(item) for item in items)

    for turn in range(50):
        first_list(first_tuple(first_dict(turn)))
        assert check(build(turn % 20)) >= turn % 20
    assert_sums_agree()


CHAINED = """
import memtrace, references, sys
drained = [[i] for i in range(1000)]
def owners(objects):
    "The lines they were made at; blocks from before the trace left out."
    found = [memtrace.get_object_traceback(obj) for obj in objects]
    return {traceback[-1].lineno for traceback in found if traceback is not None}
def first(): return [[i] for i in range(200)]
def second(): return [[i] for i in range(200)]
FIRST, SECOND = first.__code__.co_firstlineno, second.__code__.co_firstlineno
def assert_owners():
    for _ in range(20):
        assert owners(first()) == {FIRST}
        assert owners(second()) == {SECOND}
def created(count=1000):
    before = references.counts()[0]
    for i in range(count): [i]
    return references.counts()[0] - before
"""


def chained(run: Run, program: str) -> None:
    if TELLS:
        run(CHAINED + program)
    else:
        run("import memtrace\nmemtrace.start(1)\nmemtrace.stop()")


def test_a_tracer_set_before_is_called_too(run: Run) -> None:
    chained(
        run,
        """
references.install(False)
for _ in range(3):
    assert created() >= 1000
    memtrace.start(5)
    assert references.current() == "another's"
    assert created() >= 1000
    destroyed = references.counts()[1]
    assert_owners()
    memtrace.stop()
    assert references.current() == "ours"
assert created() >= 1000
""",
    )


def test_none_before_none_after(run: Run) -> None:
    chained(
        run,
        """
assert references.current() == "none"
memtrace.start(5)
assert references.current() == "another's"
memtrace.clear_traces()
assert_owners()
memtrace.stop()
assert references.current() == "none"
""",
    )


def test_a_tracer_set_after_stays(run: Run) -> None:
    """Whether it calls ours or not, stop() does not take it away."""
    chained(
        run,
        """
for chain in (True, False):
    memtrace.start(5)
    references.install(chain)
    assert references.current() == "ours"
    if chain:
        assert_owners()
    memtrace.stop()
    assert references.current() == "ours"
    assert created() >= 1000
    # Ours may be below it still.
    memtrace.start(5)
    if chain:
        assert_owners()
    assert created() >= 1000
    memtrace.stop()
    references.remove()
    assert created() == 0
""",
    )


def test_a_tracer_set_after_and_removed_while_tracing(run: Run) -> None:
    chained(
        run,
        """
memtrace.start(5)
references.install(False)
references.remove()
assert references.current() == "another's"
assert_owners()
memtrace.stop()
assert references.current() == "none"
""",
    )
