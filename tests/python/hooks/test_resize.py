"""malloc, calloc, realloc and free of every kind, in every domain, with the GIL and without."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator

import pytest
from sums import assert_sums_agree

import memtrace

Start = Callable[[int], None]

# Sizes with which a block is recognised among those of the test itself.
ONE, TWO, THREE = 123_457, 234_571, 345_679
HUGE = 65_000_001
SLOT, OTHER = 0, 1

DOMAINS = ("RAW", "MEM", "OBJ", "RAW_WITHOUT_GIL")


@pytest.fixture(params=DOMAINS)
def domain(request: pytest.FixtureRequest) -> int:
    import allocations

    return getattr(allocations, request.param)  # type: ignore[no-any-return]


@pytest.fixture
def blocks(domain: int) -> Iterator[Blocks]:
    blocks = Blocks(domain)
    yield blocks
    for slot in (SLOT, OTHER):
        blocks.free(slot)


class Blocks:
    """Blocks of one domain. Each call is on a line of its own, which `lines` has by name."""

    def __init__(self, domain: int) -> None:
        import allocations

        self._domain = domain
        self._calls = allocations

    def malloc(self, slot: int, size: int) -> bool:
        return self._calls.malloc(slot, self._domain, size)  # type: ignore[no-any-return]

    def calloc(self, slot: int, count: int, size: int) -> bool:
        return self._calls.calloc(slot, self._domain, count, size)  # type: ignore[no-any-return]

    def realloc(self, slot: int, size: int) -> bool:
        return self._calls.realloc(slot, self._domain, size)  # type: ignore[no-any-return]

    def free(self, slot: int) -> None:
        self._calls.free(slot, self._domain)

    def address(self, slot: int) -> int:
        return self._calls.address(slot)  # type: ignore[no-any-return]


LINES = {name: getattr(Blocks, name).__code__.co_firstlineno + 1 for name in ("malloc", "calloc", "realloc")}


def live() -> dict[int, str]:
    """The live blocks that a call of Blocks made: which call, by size. No size may occur twice."""
    found: dict[int, str] = {}
    names = {line: name for name, line in LINES.items()}
    for trace in memtrace.take_snapshot().traces:
        frame = trace.traceback[-1]
        if frame.filename == __file__ and frame.lineno in names:
            assert trace.size not in found
            found[trace.size] = names[frame.lineno]
    return found


def test_allocate_and_free(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    assert blocks.malloc(SLOT, ONE)
    assert blocks.calloc(OTHER, TWO // 7 + 1, 7)
    assert live() == {ONE: "malloc", TWO // 7 * 7 + 7: "calloc"}
    blocks.free(SLOT)
    assert live() == {TWO // 7 * 7 + 7: "calloc"}
    blocks.free(OTHER)
    assert live() == {}
    assert_sums_agree()


@pytest.mark.parametrize("sizes", [(ONE, TWO), (TWO, ONE), (100, ONE), (ONE, 100), (3, 7), (16, 17), (17, 16)])
def test_resize(sizes: tuple[int, int], blocks: Blocks, tracing: Start) -> None:
    before, after = sizes
    tracing(3)
    assert blocks.malloc(SLOT, before)
    assert blocks.realloc(SLOT, after)
    assert live() == {after: "realloc"}
    blocks.free(SLOT)
    assert live() == {}
    assert_sums_agree()


def test_resize_in_place(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    assert blocks.malloc(SLOT, 1001)
    address = blocks.address(SLOT)
    # Room for 1003 bytes was there from the start, whoever allocates.
    assert blocks.realloc(SLOT, 1003)
    assert blocks.address(SLOT) == address
    assert live() == {1003: "realloc"}


def test_resize_by_moving(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    assert blocks.malloc(SLOT, 300)
    assert blocks.malloc(OTHER, 301)
    address = blocks.address(SLOT)
    # More than any heap has free behind a small block: the C library maps it apart.
    assert blocks.realloc(SLOT, HUGE)
    assert blocks.address(SLOT) != address
    assert live() == {301: "malloc", HUGE: "realloc"}
    # What lies at the old address now is somebody else's.
    blocks.free(OTHER)
    assert live() == {HUGE: "realloc"}
    assert_sums_agree()


def test_failed_resize_keeps_the_trace(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    for size in (5, 16, 300, ONE):
        assert blocks.malloc(SLOT, size)
        assert not blocks.realloc(SLOT, sys.maxsize)
        assert live() == {size: "malloc"}
        blocks.free(SLOT)
        assert live() == {}
    assert_sums_agree()


def test_failed_allocation_leaves_no_trace(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    assert not blocks.malloc(SLOT, sys.maxsize)
    assert not blocks.realloc(SLOT, sys.maxsize)
    assert not blocks.calloc(SLOT, sys.maxsize // 8, 8)
    # The product does not fit; CPython says so, or the allocator.
    assert not blocks.calloc(SLOT, sys.maxsize, 2)
    assert not blocks.calloc(SLOT, 2**33, 2**33)
    assert live() == {}
    assert_sums_agree()


def test_resize_of_null_allocates(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    assert blocks.realloc(SLOT, ONE)
    assert live() == {ONE: "realloc"}


def test_zero_sizes(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    assert blocks.malloc(SLOT, 0)
    assert live() == {0: "malloc"}
    assert blocks.realloc(SLOT, 0)
    assert live() == {0: "realloc"}
    assert blocks.realloc(SLOT, ONE)
    assert live() == {ONE: "realloc"}
    assert blocks.realloc(SLOT, 0)
    assert live() == {0: "realloc"}
    blocks.free(SLOT)
    assert live() == {}
    for count, size in ((0, 8), (8, 0), (0, 0)):
        assert blocks.calloc(SLOT, count, size)
        assert live() == {0: "calloc"}
        blocks.free(SLOT)
    assert_sums_agree()


def test_blocks_older_than_the_trace(blocks: Blocks, tracing: Start) -> None:
    assert blocks.malloc(SLOT, 300)
    assert blocks.malloc(OTHER, ONE)
    tracing(3)
    assert live() == {}
    blocks.free(SLOT)
    # A block that was never seen is traced from its resize on, also where it stays where it is.
    assert blocks.realloc(OTHER, ONE + 1)
    assert live() == {ONE + 1: "realloc"}
    blocks.free(OTHER)
    assert live() == {}
    assert_sums_agree()


def test_blocks_that_outlive_the_trace(blocks: Blocks, tracing: Start) -> None:
    tracing(3)
    assert blocks.malloc(SLOT, ONE)
    assert blocks.malloc(OTHER, TWO)
    memtrace.stop()
    assert blocks.realloc(SLOT, THREE)
    tracing(3)
    assert live() == {}
    blocks.free(OTHER)
    assert blocks.realloc(SLOT, ONE)
    memtrace.clear_traces()
    assert live() == {}
    assert blocks.realloc(SLOT, TWO)
    assert live() == {TWO: "realloc"}
    assert_sums_agree()


def test_a_trace_replaces_the_one_at_its_address(tracing: Start) -> None:
    """A RAW block whose end was never seen: its address is handed out again."""
    import allocations

    blocks = Blocks(allocations.RAW)
    rng = random.Random(1)
    tracing(3)
    for _ in range(500):
        sizes = [rng.choice((1, 16, 17, 24, 25, 100, 1000)) for _ in range(20)]
        for slot, size in enumerate(sizes):
            blocks.malloc(slot, size)
        for slot in range(20):
            allocations.system_free(slot)
        # The same memory in other pieces.
        for slot, size in enumerate(rng.choice((1, 16, 17, 24, 25, 100, 1000)) for _ in range(20)):
            blocks.malloc(slot, size)
        assert_sums_agree()
        for slot in range(20):
            blocks.free(slot)


def test_a_block_that_came_from_elsewhere(tracing: Start) -> None:
    import allocations

    blocks = Blocks(allocations.RAW)
    tracing(3)
    allocations.system_malloc(SLOT, ONE)
    assert live() == {}
    blocks.free(SLOT)
    allocations.system_malloc(SLOT, ONE)
    assert blocks.realloc(SLOT, TWO)
    assert live() == {TWO: "realloc"}
    blocks.free(SLOT)
    assert live() == {}
    assert_sums_agree()


@pytest.mark.parametrize("gil", ["RAW", "RAW_WITHOUT_GIL"])
def test_memory_that_is_really_there(gil: str, tracing: Start) -> None:
    """5 GiB, untouched. Where the system has not so much to promise, there must be no trace either."""
    import allocations

    blocks = Blocks(getattr(allocations, gil))
    size = 5 * 2**30 + 3
    tracing(3)
    given = blocks.calloc(SLOT, 1, size)
    assert live() == ({size: "calloc"} if given else {})
    assert (memtrace.get_traced_memory()[0] >= size) == given
    blocks.free(SLOT)
    assert live() == {}
    assert_sums_agree()
