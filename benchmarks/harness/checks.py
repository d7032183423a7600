"""Decides whether a set of runs may be believed."""

from collections.abc import Iterable, Sequence

from benchmarks.harness.modes import MODES
from benchmarks.harness.runs import Run, last_line


def failures(runs: Sequence[Run]) -> list[str]:
    """Return one line for each reason to reject *runs*; empty when they count.

    Every process must have finished, every tracer must show that it traced (memtrace also that
    it dropped nothing), and a program must have computed the same in every mode and repetition.
    """
    found = [_named(run, f"failed: {last_line(run.error)}") for run in runs if run.measurement is None]
    for run in runs:
        if run.measurement is not None:
            doubts = MODES[run.mode].doubts(run.measurement.evidence)
            found += [_named(run, doubt) for doubt in doubts]
    return found + _different_outcomes(runs)


def _different_outcomes(runs: Iterable[Run]) -> list[str]:
    reference: dict[str, Run] = {}
    found = []
    for run in runs:
        if run.measurement is None:
            continue
        first = reference.setdefault(run.program, run)
        assert first.measurement is not None
        expected = first.measurement.outcome
        differing = [k for k, v in run.measurement.outcome.items() if expected.get(k) != v]
        if not _near(run.measurement.collections, first.measurement.collections):
            differing.append("collections")
        if differing:
            names = ", ".join(differing)
            found.append(_named(run, f"computed something else than under {first.mode}: {names}"))
    return found


def _near(collections: int, expected: int) -> bool:
    """Allow one in twenty: memray's profile function makes frame objects, which count."""
    return abs(collections - expected) <= 1 + expected / 20


def _named(run: Run, message: str) -> str:
    return f"{run.program} under {run.mode}, repetition {run.repetition}: {message}"
