"""track() and untrack(), and what snapshots make of domains."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sums import assert_sums_agree

import memtrace

Start = Callable[[int], None]
MINE = 7001
LARGEST = 2**64 - 1


@pytest.fixture(autouse=True)
def names() -> Iterator[None]:
    """The names of domains as they were before the test."""
    known = memtrace._domains._names
    before = known.copy()
    yield
    known.clear()
    known.update(before)


def here() -> int:
    """The line of the caller."""
    return sys._getframe(1).f_lineno


def blocks(domain: int | str) -> list[tuple[int, int]]:
    snapshot = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, domain)])
    return sorted((trace.size, trace.traceback[-1].lineno) for trace in snapshot.traces)


def test_a_block_comes_and_goes(tracing: Start) -> None:
    tracing(5)
    before = memtrace.get_traced_memory()[0]
    assert memtrace.track(MINE, 100, 1_000_000) is True
    line = here() - 1
    assert blocks(MINE) == [(1_000_000, line)]
    assert memtrace.get_traced_memory()[0] - before >= 1_000_000
    assert memtrace.untrack(MINE, 100) is True
    assert blocks(MINE) == []
    assert memtrace.untrack(MINE, 100) is True
    assert memtrace.get_traced_memory()[0] - before < 1_000_000 <= memtrace.get_traced_memory()[1]
    assert_sums_agree()


def test_tracked_again_a_block_is_replaced(tracing: Start) -> None:
    tracing(5)
    memtrace.track(MINE, 100, 10)
    memtrace.track(MINE, 100, 20)
    line = here() - 1
    assert blocks(MINE) == [(20, line)]
    assert_sums_agree()


@pytest.mark.parametrize("address", [0, 1, 16, 2**47, 2**48 - 1, 2**48, 2**63, LARGEST])
@pytest.mark.parametrize("domain", [0, 1, 389047, 2**32 - 1])
def test_every_address_of_every_domain(domain: int, address: int, tracing: Start) -> None:
    tracing(1)
    size = 2**50 + address % 1000
    memtrace.track(domain, address, size)
    assert size in [found for found, _ in blocks(domain)]
    assert_sums_agree()
    memtrace.untrack(domain, address)
    assert size not in [found for found, _ in blocks(domain)]


def test_one_address_in_two_domains(tracing: Start) -> None:
    tracing(1)
    memtrace.track(MINE, 100, 10)
    memtrace.track(MINE + 1, 100, 20)
    memtrace.untrack(MINE, 100)
    assert blocks(MINE) == []
    assert [size for size, _ in blocks(MINE + 1)] == [20]


def test_without_a_trace_nothing_is_recorded() -> None:
    memtrace.stop()
    assert memtrace.track(MINE, 100, 10) is False
    assert memtrace.untrack(MINE, 100) is False
    memtrace.start()
    assert blocks(MINE) == []
    memtrace.stop()


def test_a_new_trace_begins_without_the_blocks_of_the_last(tracing: Start) -> None:
    tracing(1)
    memtrace.track(MINE, 100, 10)
    memtrace.clear_traces()
    assert blocks(MINE) == []
    memtrace.untrack(MINE, 100)
    memtrace.track(MINE, 100, 20)
    memtrace.stop()
    memtrace.start(1)
    assert blocks(MINE) == []
    assert_sums_agree()


def test_keywords(tracing: Start) -> None:
    tracing(1)
    memtrace.track(domain=MINE, address=100, size=10)
    assert len(blocks(MINE)) == 1
    memtrace.untrack(domain=MINE, address=100)
    assert blocks(MINE) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((-1, 0, 0), ValueError, "domain must be in range [0; 4294967295], not -1"),
        ((2**32, 0, 0), ValueError, "domain must be in range [0; 4294967295], not 4294967296"),
        ((1, -1, 0), ValueError, "address must be in range [0; 18446744073709551615], not -1"),
        ((1, 2**64, 0), ValueError, "address must be in range"),
        ((1, 1, -1), ValueError, "size must be in range [0; 9223372036854775807], not -1"),
        ((1, 1, 2**63), ValueError, "size must be in range"),
        (("numpy", 1, 1), TypeError, "domain must be an integer, not str"),
        ((1, 1.5, 1), TypeError, "address must be an integer, not float"),
        ((1, 1, None), TypeError, "size must be an integer, not NoneType"),
    ],
)
def test_bad_arguments(arguments: tuple, error: type[Exception], message: str, tracing: Start) -> None:
    tracing(1)
    memtrace.track(MINE, 100, 10)
    with pytest.raises(error) as raised:
        memtrace.track(*arguments)
    assert message in str(raised.value)
    if not message.startswith("size"):
        with pytest.raises(error):
            memtrace.untrack(*arguments[:2])
    assert len(blocks(MINE)) == 1


def test_many_blocks_from_many_threads(tracing: Start) -> None:
    tracing(3)

    def work(first: int) -> None:
        for i in range(20_000):
            memtrace.track(MINE, first + i % 500 * 24, i)
            if i % 3:
                memtrace.untrack(MINE, first + (i * 7) % 500 * 24)

    threads = [threading.Thread(target=work, args=(i * 1_000_000,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert_sums_agree()
    for address in range(4 * 1_000_000 // 8):
        memtrace.untrack(MINE, address * 8)
    assert blocks(MINE) == []
    assert_sums_agree()


def test_memory_stays_flat_when_blocks_come_and_go(tracing: Start) -> None:
    tracing(1)

    def come_and_go(first: int) -> int:
        for i in range(first, first + 100_000):
            memtrace.track(MINE, i * 16, 10)
            memtrace.untrack(MINE, (i - 50) * 16)
        return memtrace.get_memtrace_memory()

    come_and_go(50)
    before = come_and_go(100_050)
    for turn in range(2, 8):
        after = come_and_go(turn * 100_000 + 50)
    assert after < before + 64 * 1024


def test_statistics_by_domain(tracing: Start) -> None:
    tracing(5)
    old = memtrace.take_snapshot()
    for i in range(3):
        memtrace.track(MINE, i, 500_000_000)
        line = here() - 1
    memtrace.track(MINE, 100, 1)
    memtrace.track(389047, 1, 100_000_000)
    snapshot = memtrace.take_snapshot()
    first, second, third = snapshot.statistics("domain")
    assert (first.key, first.size, first.count) == (str(MINE), 1_500_000_001, 4)
    assert [size for size, _ in blocks(first.key)] == [1, 500_000_000, 500_000_000, 500_000_000]
    assert first.traceback[0] == memtrace.Frame((__file__, line))
    assert (second.key, second.size, second.count) == ("numpy", 100_000_000, 1)
    assert third.key == "python"
    assert str(second) == "numpy: size=95.4 MiB, count=1, average=95.4 MiB"
    difference = snapshot.compare_to(old, "domain")
    assert [(d.key, d.count_diff) for d in difference[:2]] == [(str(MINE), 4), ("numpy", 1)]
    assert {d.key for d in difference} == {str(MINE), "numpy", "python"}


@pytest.mark.parametrize("method", ["statistics", "compare_to"])
def test_domains_are_not_cumulative(method: str, tracing: Start) -> None:
    tracing(1)
    snapshot = memtrace.take_snapshot()
    arguments = ("domain", True) if method == "statistics" else (snapshot, "domain", True)
    with pytest.raises(ValueError, match="cumulative"):
        getattr(snapshot, method)(*arguments)


def test_a_name_goes_with_the_file(tmp_path: Path, tracing: Start) -> None:
    """Whoever loads a snapshot sees the names that the traced program gave."""
    tracing(1)
    memtrace.register_domain(MINE, "pool")
    memtrace.track(MINE, 1, 1_000_000_000)
    file = tmp_path / "named.mtrace"
    memtrace.take_snapshot().dump(file)
    program = f"import memtrace; print(memtrace.Snapshot.load({os.fspath(file)!r}).statistics('domain')[0].key)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "pool\n"


def test_a_name_given_later_is_seen(tmp_path: Path, tracing: Start) -> None:
    tracing(1)
    memtrace.track(MINE, 1, 1_000_000_000)
    snapshot = memtrace.take_snapshot()
    assert snapshot.statistics("domain")[0].key == str(MINE)
    snapshot.dump(tmp_path / "unnamed.mtrace")
    memtrace.register_domain(MINE, "pool")
    assert snapshot.statistics("domain")[0].key == "pool"
    assert memtrace.Snapshot.load(tmp_path / "unnamed.mtrace").statistics("domain")[0].key == "pool"


def test_filters_take_a_name(tracing: Start) -> None:
    tracing(1)
    memtrace.register_domain(MINE, "pool")
    memtrace.track(MINE, 1, 10)
    assert memtrace.DomainFilter(True, "pool").domain == MINE
    assert [size for size, _ in blocks("pool")] == [10]
    without = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(False, "pool")])
    assert all(trace.domain == 0 for trace in without.traces)
    by_place = memtrace.take_snapshot().filter_traces([memtrace.Filter(True, __file__, domain="pool")])
    assert [trace.size for trace in by_place.traces] == [10]
    assert memtrace.DomainFilter(True, "python").domain == 0


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"unknown domain 'nobody'.*numpy"):
        memtrace.DomainFilter(True, "nobody")


@pytest.mark.parametrize(
    ("domain", "name", "error"),
    [
        (-1, "pool", ValueError),
        (2**32, "pool", ValueError),
        ("7", "pool", TypeError),
        (MINE, "", ValueError),
        (MINE, "12", ValueError),
        (MINE, None, TypeError),
        (MINE, "numpy", ValueError),
    ],
)
def test_bad_names(domain: object, name: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        memtrace.register_domain(domain, name)
    assert memtrace.DomainFilter(True, "numpy").domain == 389047


def test_a_domain_can_be_renamed() -> None:
    memtrace.register_domain(MINE, "pool")
    memtrace.register_domain(MINE, "arena")
    assert memtrace.DomainFilter(True, "arena").domain == MINE
    with pytest.raises(ValueError):
        memtrace.DomainFilter(True, "pool")


def test_without_memory_a_report_is_dropped_and_counted(tracing: Start) -> None:
    tracing(1)
    memtrace.track(MINE, 1, 10)
    memtrace._core._fail_allocations(0, True)
    try:
        for i in range(100_000):
            assert memtrace.track(MINE, i * 3, 10) is True
    finally:
        failed = memtrace._core._allow_allocations()
    snapshot = memtrace.take_snapshot()
    assert failed > 0
    assert snapshot.dropped > 0
    assert len(snapshot.filter_traces([memtrace.DomainFilter(True, MINE)]).traces) + snapshot.dropped >= 100_000
    assert_sums_agree()
