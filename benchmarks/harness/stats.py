"""Ratios between runs of one repetition, their mean, and that summarised over programs."""

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from benchmarks.harness.measure import Measurement
from benchmarks.harness.runs import Run


@dataclass(frozen=True)
class Summary:
    """Ratios of many programs in one mode."""

    geomean: float
    worst: float
    worst_program: str
    programs: int


def paired_ratios(runs: Iterable[Run], mode: str, base: str, value: Callable[[Measurement], float]) -> dict[str, float]:
    """Return, by program, the geometric mean over repetitions of ``value(mode) / value(base)``.

    Not the median: on a machine that now and then runs a third faster or slower for some seconds
    its error was 1.6 times that of the mean. A repetition that lacks either run, or in which one
    failed, is left out; so is a program without any pair.
    """
    values: dict[tuple[str, int, str], float] = {
        (run.program, run.repetition, run.mode): value(run.measurement) for run in runs if run.measurement is not None
    }
    pairs: dict[str, list[tuple[float, float]]] = {}
    for (program, repetition, run_mode), base_value in values.items():
        if run_mode == base and (program, repetition, mode) in values:
            pair = values[program, repetition, mode], base_value
            pairs.setdefault(program, []).append(pair)
    return {
        program: statistics.geometric_mean(first / second for first, second in of_one)
        for program, of_one in pairs.items()
    }


def median_ratio(pairs: Iterable[tuple[float, float]]) -> float:
    """Return the median of ``first / second`` over *pairs*; each pair was measured in turn."""
    return statistics.median(first / second for first, second in pairs)


def summarise(ratios: Mapping[str, float]) -> Summary:
    """Return geometric mean and worst of *ratios* by program. Raises `ValueError` when empty."""
    if not ratios:
        raise ValueError("no ratios to summarise")
    worst_program = max(ratios, key=lambda program: ratios[program])
    return Summary(
        geomean=statistics.geometric_mean(ratios.values()),
        worst=ratios[worst_program],
        worst_program=worst_program,
        programs=len(ratios),
    )
