"""Ratios are paired within a repetition, and summarised over programs."""

import pytest
from benchmarks.harness.measure import Measurement
from benchmarks.harness.runs import Run, interleaved
from benchmarks.harness.stats import median_ratio, paired_ratios, summarise


def run(program: str, mode: str, repetition: int, seconds: float | None) -> Run:
    if seconds is None:
        return Run(program, mode, repetition, None, "crashed")
    return Run(program, mode, repetition, Measurement(seconds, seconds, 0, 0, {}, 0, {}))


def seconds_ratios(runs: list[Run], mode: str) -> dict[str, float]:
    return paired_ratios(runs, mode, "bare", lambda measurement: measurement.seconds)


def test_ratios_are_the_geometric_mean_over_repetitions():
    # The machine is ten times slower in the second one.
    runs = [
        run("a", "bare", 0, 1.0),
        run("a", "traced", 0, 2.0),
        run("a", "bare", 1, 10.0),
        run("a", "traced", 1, 20.0),
        run("a", "bare", 2, 1.0),
        run("a", "traced", 2, 16.0),
    ]
    assert seconds_ratios(runs, "traced") == {"a": pytest.approx(4.0)}


def test_a_failed_run_takes_only_its_own_pair_with_it():
    runs = [
        run("a", "bare", 0, 1.0),
        run("a", "traced", 0, 3.0),
        run("a", "bare", 1, 1.0),
        run("a", "traced", 1, None),
        run("b", "bare", 0, None),
        run("b", "traced", 0, 1.0),
    ]
    assert seconds_ratios(runs, "traced") == {"a": pytest.approx(3.0)}


def test_median_ratio():
    assert median_ratio([(2.0, 1.0), (9.0, 3.0), (10.0, 1.0)]) == 3.0


def test_summary_of_known_numbers():
    summary = summarise({"a": 1.0, "b": 2.0, "c": 4.0, "d": 8.0})
    assert summary.geomean == pytest.approx(8**0.5)
    assert (summary.worst, summary.worst_program, summary.programs) == (8.0, "d", 4)


def test_no_ratios_have_no_summary():
    with pytest.raises(ValueError, match="no ratios"):
        summarise({})


def test_modes_run_in_turn_within_a_repetition():
    assert list(interleaved(["p", "q"], ["bare", "x"], 2)) == [
        ("p", "bare", 0),
        ("p", "x", 0),
        ("q", "bare", 0),
        ("q", "x", 0),
        ("p", "bare", 1),
        ("p", "x", 1),
        ("q", "bare", 1),
        ("q", "x", 1),
    ]
