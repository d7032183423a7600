"""Samples, the limit of the tracer's memory, status() and the keywords of start()."""

from __future__ import annotations

import copy
import gc
import pickle
import statistics as mathematics
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import Run

import memtrace
from memtrace._size import _parse_size

DOMAIN = 77
INTERVAL = 16 * 1024


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    memtrace.stop()
    yield
    memtrace.stop()


def report(sizes: list[int], domain: int = DOMAIN) -> None:
    for address, size in enumerate(sizes, start=1):
        memtrace.track(domain, address, size)


def of_domain(snapshot: memtrace.Snapshot) -> memtrace.Statistic:
    (statistic,) = snapshot.filter_traces([memtrace.DomainFilter(True, DOMAIN)]).statistics("domain")
    return statistic


# --- keywords


@pytest.mark.parametrize(
    ("text", "size"),
    [
        *((512, 512), ("512", 512), ("512 KiB", 512 * 1024), ("512KiB", 512 * 1024), ("1.5 MiB", 3 << 19)),
        *(("64MB", 64_000_000), ("2 gib", 2 << 30), ("7 B", 7), (" 1kB ", 1000), ("0.5 TiB", 1 << 39)),
    ],
)
def test_sizes(text: int | str, size: int) -> None:
    assert _parse_size(text, "x") == size


@pytest.mark.parametrize(
    "text", ["", "KiB", "1.5", "1e3", "-1", "1 XB", "1 iB", ".5 MiB", "1. MiB", "٣ MiB", "9" * 50, -1]
)
def test_no_sizes(text: int | str) -> None:
    with pytest.raises(ValueError, match=r"^x must"):
        _parse_size(text, "x")


@pytest.mark.parametrize("value", [1.5, True, None, b"1"])
def test_sizes_of_other_types(value: object) -> None:
    with pytest.raises(TypeError, match=r"^x must be an integer or a text"):
        _parse_size(value, "x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"sample_interval": 0}, ValueError, "sample_interval must be from 1 byte"),
        ({"sample_interval": "2 TiB"}, ValueError, "sample_interval must be from 1 byte"),
        ({"sample_interval": 1.5}, TypeError, "sample_interval must be an integer"),
        ({"max_memory": "1 MiB"}, ValueError, "max_memory must be at least 4 MiB"),
        ({"sample_interval": 1, "seed": -1}, ValueError, "seed must be in range"),
        ({"sample_interval": 1, "seed": "x"}, TypeError, "seed must be an integer"),
        ({"seed": 1}, ValueError, "seed needs"),
        ({"interval": 1}, TypeError, "interval"),
    ],
)
def test_bad_keywords(keywords: dict[str, object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        memtrace.start(1, **keywords)  # type: ignore[arg-type]
    assert not memtrace.is_tracing()


@pytest.mark.parametrize("name", ["sample_interval", "seed", "max_memory"])
def test_a_second_start_with_another_keyword(name: str) -> None:
    keywords = {"sample_interval": 1024, "seed": 3, "max_memory": 5 << 20}
    memtrace.start(5, **keywords)
    memtrace.start(7)
    memtrace.start(5, **keywords)
    memtrace.start(5, **{name: keywords[name]})
    with pytest.raises(ValueError, match=f"^{name} is another than"):
        memtrace.start(5, **{name: keywords[name] * 2})
    assert memtrace.get_traceback_limit() == 5
    assert memtrace.status().sample_interval == 1024


def test_a_second_start_cannot_make_an_exact_trace_a_sampled_one() -> None:
    memtrace.start()
    with pytest.raises(ValueError, match=r"^sample_interval is another"):
        memtrace.start(sample_interval=1024)
    assert memtrace.status().mode == "exact"


# --- clear_traces()


def test_clear_traces_keeps_keywords_marks_and_labels() -> None:
    memtrace.start(5, sample_interval="1 KiB", seed=3)
    before = memtrace.mark()
    with memtrace.label("kept"), memtrace.peak() as region:
        report([1 << 20])
        assert region.peak >= 1 << 20
        memtrace.clear_traces()
        assert region.peak < 1 << 20  # begins anew, and is open still
        report([1 << 18])
        assert region.peak >= 1 << 18
    status = memtrace.status()
    assert (status.sample_interval, status.traceback_limit) == (1024, 5)
    snapshot = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, DOMAIN)])
    assert [statistic.key for statistic in snapshot.statistics("label")] == ["kept"]
    assert snapshot.since(before).statistics("domain") == snapshot.statistics("domain")
    assert memtrace.mark() > before


# --- estimates


def test_means_and_errors_over_many_seeds() -> None:
    sizes = [100, 1_000, INTERVAL, 5 * INTERVAL] * 60
    total = sum(sizes)
    estimates, errors, counts = [], [], []
    for seed in range(150):
        memtrace.start(1, sample_interval=INTERVAL, seed=seed)
        report(sizes)
        statistic = of_domain(memtrace.take_snapshot())
        estimates.append(statistic.size)
        errors.append(statistic.size_error)
        counts.append(statistic.count)
        memtrace.stop()
    scatter = mathematics.stdev(estimates)
    assert abs(mathematics.mean(estimates) - total) < 4 * scatter / len(estimates) ** 0.5
    assert abs(mathematics.mean(counts) - len(sizes)) < 4 * mathematics.stdev(counts) / len(counts) ** 0.5
    assert abs(mathematics.mean(errors) / scatter - 1) < 0.3


def test_all_is_counted_when_each_byte_is_a_sample() -> None:
    memtrace.start(3, sample_interval=1, seed=0)
    kept = [bytearray(5_000) for _ in range(100)]
    snapshot = memtrace.take_snapshot()
    (own,) = (
        statistic
        for statistic in snapshot.filter_traces([memtrace.Filter(True, __file__)]).statistics("lineno")
        if statistic.size > 400_000
    )
    assert own.size == pytest.approx(sum(map(len, kept)), rel=0.05)
    assert own.size_error == 0
    del kept
    assert memtrace.get_traced_memory()[0] < 400_000


def test_same_seed_same_samples() -> None:
    found = []
    for seed in (5, 5, 6):
        memtrace.start(1, sample_interval=INTERVAL, seed=seed)
        report([1_000] * 500)
        traces = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, DOMAIN)]).traces
        found.append(len(traces))
        assert all(trace.size == 1_000 for trace in traces)
        memtrace.stop()
    assert found[0] == found[1]
    assert 0 < found[2] < 500


def test_blocks_come_and_go_in_all_threads() -> None:
    memtrace.start(2, sample_interval=512, seed=1)

    def work() -> None:
        for size in range(3_000):
            bytearray(size).extend(b"x" * size)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    del threads, thread
    gc.collect()
    current, _ = memtrace.get_traced_memory()
    assert 0 <= current < 1 << 20
    native = memtrace._core.status()
    assert native["bytes"] == native["traced_bytes"]
    assert native["dropped"] == 0


def test_peak_snapshot_has_estimates_and_errors() -> None:
    memtrace.start(1, sample_interval=INTERVAL, seed=2)
    report([1_000] * 2_000)
    at_peak = of_domain(memtrace.take_snapshot())
    for address in range(1, 2_001):
        memtrace.untrack(DOMAIN, address)
    statistic = of_domain(memtrace.take_peak_snapshot())
    assert (statistic.size, statistic.count) == (at_peak.size, at_peak.count)
    assert statistic.size_error == pytest.approx(at_peak.size_error)


def test_statistics_of_samples_say_so() -> None:
    memtrace.start(1, sample_interval=INTERVAL, seed=2)
    report([1_000] * 2_000)
    snapshot = memtrace.take_snapshot()
    assert snapshot.sample_interval == INTERVAL
    statistic = of_domain(snapshot)
    assert "KiB ± " in str(statistic)
    for copied in (copy.copy(statistic), pickle.loads(pickle.dumps(statistic))):
        assert (copied.size_error, copied.count_error) == (statistic.size_error, statistic.count_error)


def test_exact_statistics_have_no_error() -> None:
    memtrace.start()
    report([1_000] * 10)
    snapshot = memtrace.take_snapshot()
    assert snapshot.sample_interval is None
    statistic = of_domain(snapshot)
    assert (statistic.size, statistic.size_error, statistic.count_error) == (10_000, 0, 0)
    assert "±" not in str(statistic)
    with pytest.raises(AttributeError):
        _ = statistic.size_diff_error  # type: ignore[attr-defined]


@pytest.mark.parametrize("types", [False, True])
def test_a_limit_that_is_not_reached_changes_nothing(types: bool) -> None:
    memtrace.start(1, max_memory="256 MiB")
    kept = [bytearray(100) for _ in range(50)]
    snapshot = memtrace.take_snapshot(types=types)
    assert all(statistic.size_error == 0 for statistic in snapshot.statistics("lineno"))
    # Of samples this is not known.
    assert all(statistic.temporary_size is not None for statistic in snapshot.churn("lineno"))
    del kept


def test_differences_leave_out_what_has_survived() -> None:
    memtrace.start(1, sample_interval=INTERVAL, seed=2)
    report([1_000] * 2_000)
    marked, unmarked = memtrace.take_snapshot(mark=True), memtrace.take_snapshot()
    new = memtrace.take_snapshot()
    (known,) = (diff for diff in new.compare_to(marked, "domain") if diff.key == str(DOMAIN))
    (unknown,) = (diff for diff in new.compare_to(unmarked, "domain") if diff.key == str(DOMAIN))
    assert known.size_diff == unknown.size_diff == 0
    assert known.size_diff_error == pytest.approx(0, abs=1e-3)
    assert unknown.size_diff_error == pytest.approx(2**0.5 * unknown.size_error)
    assert known.size_error == unknown.size_error > 0


def test_recursion_counts_errors_as_often_as_it_counts_sizes() -> None:
    def recurse(depth: int) -> None:
        if depth:
            recurse(depth - 1)
        else:
            report([1_000] * 2_000)

    memtrace.start(25, sample_interval=INTERVAL, seed=2)
    recurse(9)
    snapshot = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, DOMAIN)])
    once = snapshot.statistics("domain")[0]
    inner = snapshot.statistics("lineno", cumulative=True)[0]
    assert inner.size == 9 * once.size
    assert inner.size_error == pytest.approx(9 * once.size_error)
    (function,) = (s for s in snapshot.statistics("function", cumulative=True) if str(s.key).endswith("recurse"))
    assert function.size_error == pytest.approx(once.size_error)


def test_files_and_chosen_blocks_keep_the_estimates(tmp_path: Path) -> None:
    memtrace.start(2, sample_interval=INTERVAL, seed=2)
    report([1_000] * 2_000)
    snapshot = memtrace.take_snapshot()
    memtrace.stop()

    snapshot.dump(tmp_path / "samples.mtrace")
    for other in (memtrace.Snapshot.load(tmp_path / "samples.mtrace"), pickle.loads(pickle.dumps(snapshot))):
        assert other.sample_interval == INTERVAL
        assert of_domain(other).size_error == of_domain(snapshot).size_error
        assert of_domain(other) == of_domain(snapshot)
    chosen = snapshot.filter_traces([memtrace.SizeFilter(True, 0)])
    assert of_domain(chosen).size == of_domain(snapshot).size
    assert of_domain(chosen).count == of_domain(snapshot).count
    assert of_domain(chosen).size_error == pytest.approx(of_domain(snapshot).size_error)


# --- max_memory


@pytest.mark.parametrize("keywords", [{}, {"sample_interval": "4 KiB"}])
def test_memory_stays_below_its_limit(keywords: dict[str, str]) -> None:
    limit = 5 << 20
    memtrace.start(3, max_memory=limit, seed=1, **keywords)
    first = memtrace.status()
    assert first.mode == ("sampled" if keywords else "exact")
    kept, largest = [], 0
    for number in range(600_000):
        kept.append(str(number))
        if number % 50_000 == 0:
            largest = max(largest, memtrace.get_memtrace_memory())
    status = memtrace.status()
    assert largest <= limit
    assert status.own_bytes <= limit == status.max_memory
    assert status.sample_interval is not None
    if not keywords:
        size = sum(number.__sizeof__() for number in kept)
        (own,) = (s for s in memtrace.take_snapshot().statistics("lineno") if s.size > 10_000_000)
        assert abs(own.size - size - kept.__sizeof__()) < 5 * own.size_error + size / 10
    del kept
    memtrace.clear_traces()
    assert memtrace.status().sample_interval == first.sample_interval


def test_when_all_memory_is_used_nothing_more_is_recorded(run: Run) -> None:
    # In a process of its own: what earlier traces had for their threads counts as well.
    program = """
import memtrace
memtrace.start(1, sample_interval=1, max_memory="4 MiB")
for address in range(400_000):
    memtrace.track(87, address, 1 << 40)  # each is sampled, whatever the interval
status = memtrace.status()
assert status.mode == "full"
assert status.own_bytes <= 4 << 20
assert status.dropped > 100_000
assert memtrace.take_snapshot(blocks=False).dropped >= status.dropped
memtrace.clear_traces()
assert (memtrace.status().mode, memtrace.status().dropped) == ("sampled", 0)
"""
    run(program)


# --- status()


def test_status() -> None:
    assert memtrace.status()[:3] == (False, "off", None)
    memtrace.start(4)
    report([1_000] * 10)
    status = memtrace.status()
    assert (status.tracing, status.mode, status.sample_interval, status.max_memory) == (True, "exact", None, None)
    assert status.traceback_limit == 4
    assert status.blocks >= 10
    assert status.bytes >= 10_000
    assert status.records > 0
    assert status.nodes > 0
    assert status.own_bytes > 0
    assert 0 <= status.own_time < 10
    assert status.dropped == 0
