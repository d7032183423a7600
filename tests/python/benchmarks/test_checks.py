"""A benchmark rejects runs that did different work, did not trace, or exceed the bounds."""

from typing import Any

import pytest
from benchmarks.commands import memory, overhead, pairs, scaling, snapshots
from benchmarks.harness.checks import failures
from benchmarks.harness.measure import Measurement
from benchmarks.harness.runs import Run

TRACED = {
    "tracing": True,
    "nframe": 25,
    "traced_peak": 10,
    "status": {"records": 1, "nodes": 1, "dropped": 0},
}


def run(mode: str, outcome: str = "x", evidence: dict[str, Any] | None = None, collections: int = 100) -> Run:
    measurement = Measurement(1.0, 1.0, 1, 1, {"value": outcome}, collections, evidence or {})
    return Run("program", mode, 0, measurement)


def test_equal_work_and_full_evidence_pass():
    assert failures([run("bare"), run("memtrace25", evidence=TRACED)]) == []


def test_different_work_is_rejected():
    (problem,) = failures([run("bare", "x"), run("memtrace25", "y", TRACED)])
    assert "program under memtrace25" in problem
    assert "computed something else than under bare: value" in problem


def test_the_number_of_collections_may_differ_by_one_in_twenty():
    assert failures([run("bare"), run("memtrace25", "x", TRACED, collections=106)]) == []
    (problem,) = failures([run("bare"), run("memtrace25", "x", TRACED, collections=107)])
    assert problem.endswith("than under bare: collections")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"tracing": False}, "is_tracing"),
        ({"nframe": 1}, "traceback limit 1 instead of 25"),
        ({"traced_peak": 0}, "nothing traced"),
        ({"status": {"records": 0, "nodes": 1, "dropped": 0}}, "no records"),
        ({"status": {"records": 1, "nodes": 0, "dropped": 0}}, "no nodes"),
        ({"status": {"records": 1, "nodes": 1, "dropped": 2}}, "2 traces dropped"),
        ({"status": {}}, "traces dropped"),
    ],
)
def test_missing_evidence_is_rejected(change: dict[str, Any], complaint: str):
    problems = failures([run("memtrace25", evidence={**TRACED, **change})])
    assert any(complaint in problem for problem in problems)


@pytest.mark.parametrize("mode", ["floor", "tracemalloc1", "memray"])
def test_every_tracer_needs_evidence(mode: str):
    assert failures([run(mode)])


def test_a_crash_is_rejected():
    crash = Run("program", "bare", 0, None, "Traceback\n  line\nKeyError: 1")
    assert failures([crash]) == ["program under bare, repetition 0: failed: KeyError: 1"]


def ratios(full: float, one: float, memray: float) -> dict[str, dict[str, float]]:
    return {"memtrace25": {"p": full}, "memtrace1": {"p": one}, "memray": {"p": memray}}


@pytest.mark.parametrize(
    ("seconds", "complaints"),
    [
        (ratios(1.4, 1.2, 3.0), []),
        (ratios(1.6, 1.2, 3.0), ["geometric mean 1.60"]),
        (ratios(5.5, 1.2, 9.0), ["geometric mean 5.50", "p 5.50 > 5"]),
        (ratios(1.4, 1.4, 3.0), ["memtrace(1): geometric mean 1.40"]),
        (ratios(1.4, 1.2, 1.3), ["memray 1.3"]),
        ({"memtrace25": {"p": 1.0}}, ["without memtrace1", "without memray"]),
    ],
)
def test_overhead_bounds(seconds: dict[str, dict[str, float]], complaints: list[str]):
    found = overhead.exceeded_bounds(seconds)
    assert len(found) == len(complaints)
    for line, complaint in zip(found, complaints, strict=True):
        assert complaint in line


@pytest.mark.parametrize(
    ("change", "complaint"),
    [({"peaks": [5, 0]}, "a region without a peak"), ({"churn": 0}, "no churn since the mark")],
)
def test_questions_need_answers(change: dict[str, Any], complaint: str):
    answered = {**TRACED, "peaks": [10, 5], "churn": 3}
    assert failures([run("asked25", evidence=answered)]) == []
    (problem,) = failures([run("asked25", evidence={**answered, **change})])
    assert complaint in problem


def test_bound_of_pairs():
    assert pairs.exceeded_bounds({"memtrace25": {"p": 1.2, "q": 0.9}}) == []
    assert pairs.exceeded_bounds({"memtrace25": {"p": 1.2}}) == ["memtrace25: geometric mean 1.200 > 1.05"]
    assert pairs.exceeded_bounds({"asked25": {}}) == ["asked25: no pair"]


def snapshot_report(seconds: float, kib: float, **changes: Any) -> dict[str, Any]:
    result = {"groups": 5, "first": "a.py:1", "count": 10_000, "size": 10_000, "growth": 0}
    return {
        "seconds": dict.fromkeys(snapshots.BOUNDS["seconds"], seconds),
        "size_kib": dict.fromkeys(snapshots.BOUNDS["size_kib"], kib),
        "results": {"lineno": {**result, **changes}},
    }


def test_snapshot_bounds():
    fast = [{"tracemalloc": snapshot_report(101.0, 11.0), "memtrace": snapshot_report(1.0, 1.0)}]
    assert snapshots.exceeded_bounds(fast) == []
    slow = [{"tracemalloc": snapshot_report(60.0, 9.0), "memtrace": snapshot_report(1.0, 1.0)}]
    found = snapshots.exceeded_bounds(slow)
    assert len(found) == len(snapshots.BOUNDS["seconds"]) - 1 + len(snapshots.BOUNDS["size_kib"])
    assert not any(line.startswith("take_snapshot:") for line in found)


@pytest.mark.parametrize("change", [{"count": 10_020}, {"size": 9_980}, {"growth": -20}])
def test_snapshot_totals_may_differ_by_what_a_tracer_itself_frees(change: dict[str, int]):
    same = {"tracemalloc": snapshot_report(1, 1), "memtrace": snapshot_report(1, 1, **change)}
    assert snapshots.differing_results([same]) == []


@pytest.mark.parametrize(
    "change", [{"count": 10_021}, {"size": 9_979}, {"growth": 21}, {"groups": 6}, {"first": "a.py:2"}]
)
def test_snapshot_results_must_agree(change: dict[str, object]):
    same = {"tracemalloc": snapshot_report(1, 1), "memtrace": snapshot_report(1, 1)}
    other = {"tracemalloc": snapshot_report(1, 1), "memtrace": snapshot_report(1, 1, **change)}
    assert snapshots.differing_results([same, same]) == []
    (problem,) = snapshots.differing_results([same, other])
    assert "lineno under memtrace, repetition 1" in problem


def memory_report(**changes: Any) -> dict[str, Any]:
    report = {"doubts": [], "blocks": None, "frames": None, "outcome": "x"}
    return {**report, **changes}


@pytest.mark.parametrize(
    ("report", "complaint"),
    [
        (memory_report(doubts=["nothing traced"]), "nothing traced"),
        (memory_report(blocks=4_000_000), "4,000,000 blocks, 3,000,000 expected"),
        (memory_report(outcome="y"), "computed something else"),
    ],
)
def test_memory_reports_must_be_believable(report: dict[str, Any], complaint: str):
    reports = {("hold", "bare"): [memory_report()], ("hold", "memtrace25"): [report]}
    (problem,) = memory.doubtful_reports(reports, 1.0)
    assert complaint in problem


def test_memory_bounds():
    hold = memory.SUBJECTS[0]
    good = memory.Row(hold, "memtrace25", 1, by_own_word=12, block_table=5, by_resident=11)
    bad = memory.Row(hold, "memtrace25", 1, by_own_word=11, block_table=5, by_resident=13)
    rival = memory.Row(hold, "tracemalloc25", 1, 54, None, 100)
    assert memory.exceeded_bounds([good, rival]) == []
    assert len(memory.exceeded_bounds([good, bad])) == 1
    assert memory.exceeded_bounds([rival]) == ["no bound can be checked without memtrace"]


def rates(one: float, two: float, reference: float) -> dict[tuple[str, str, int], list[float]]:
    of_modes = {("memtrace25", 1): one, ("memtrace25", 2): two, ("tracemalloc25", 2): reference}
    return {(workload, *of): [rate, rate] for workload in scaling.WORKLOADS for of, rate in of_modes.items()}


@pytest.mark.parametrize(
    ("measured", "complaint"),
    [
        (rates(1.0, 1.8, 0.2), ""),
        (rates(1.0, 1.7, 0.2), "raw: two threads at 1.70 times the rate of one thread, 1.8 expected"),
        (rates(1.0, 1.8, 0.3), "raw: two threads at 6.00 times the rate of tracemalloc(25), 8.0 expected"),
    ],
)
def test_scaling_bounds(measured: dict[tuple[str, str, int], list[float]], complaint: str):
    found = scaling.exceeded_bounds(measured)
    assert len(found) == (len(scaling.WORKLOADS) if complaint else 0)
    assert complaint in "".join(found)


def test_scaling_bounds_need_both_modes():
    assert len(scaling.exceeded_bounds({("raw", "memtrace25", 2): [1.0]})) == 2 * len(scaling.WORKLOADS)
