"""What one run of one program under one mode gave, and the order in which runs happen."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.harness.measure import Measurement
from benchmarks.harness.process import WorkerError, run_worker


@dataclass(frozen=True)
class Run:
    """One process: a measurement, or the reason why there is none."""

    program: str
    mode: str
    repetition: int
    measurement: Measurement | None
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the run as plain data."""
        return asdict(self)


def interleaved(programs: Sequence[str], modes: Sequence[str], repetitions: int) -> Iterator[tuple[str, str, int]]:
    """Yield (program, mode, repetition): all modes of a program in turn, then the next program.

    The runs that are compared are thus neighbours in time.
    """
    for repetition in range(repetitions):
        for program in programs:
            for mode in modes:
                yield program, mode, repetition


def execute(
    program: str, mode: str, repetition: int, *, smoke: bool, timeout: float, python: str = sys.executable
) -> Run:
    """Run one program under one mode in a fresh process; a failure becomes part of the result."""
    request = {"program": program, "mode": mode, "smoke": smoke}
    try:
        report = run_worker("benchmarks.workers.overhead", request, timeout=timeout, python=python)
    except WorkerError as error:
        return Run(program, mode, repetition, None, str(error))
    return Run(program, mode, repetition, Measurement(**report))


def execute_all(
    plan: Iterator[tuple[str, str, int]],
    *,
    smoke: bool,
    timeout: float,
    progress: Callable[[Run], None],
) -> list[Run]:
    """Execute *plan* in order, calling *progress* after each run."""
    runs = []
    for program, mode, repetition in plan:
        run = execute(program, mode, repetition, smoke=smoke, timeout=timeout)
        progress(run)
        runs.append(run)
    return runs


def show_progress(run: Run) -> None:
    """Tell standard error what *run* gave."""
    shown = last_line(run.error) if run.measurement is None else f"{run.measurement.seconds:.3f} s"
    print(f"{run.repetition} {run.program} {run.mode}: {shown}", file=sys.stderr, flush=True)


def last_line(error: str) -> str:
    """Return the line of a traceback that says what happened."""
    return error.rpartition("\n")[2]
