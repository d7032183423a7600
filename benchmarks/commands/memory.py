"""How much memory the tracers themselves need, by live block and by distinct stack.

The workload `hold` keeps three million small blocks alive; `bintree` allocates on hundreds of
thousands of distinct call paths. Each runs under every mode in a process of its own; the tracer's
memory is what the tracer says and what the process is larger than a bare one.
Exit status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.harness import environment
from benchmarks.harness.modes import MODES
from benchmarks.harness.options import benchmark_parser, names_of, require_modules
from benchmarks.harness.process import WorkerError, run_worker
from benchmarks.harness.tables import conclude, facts_table, markdown_table
from benchmarks.programs import own

BASE = "bare"
SMOKE_SCALE = 0.125
COUNT_TOLERANCE = 0.01


@dataclass(frozen=True)
class Subject:
    """A workload, and what the tracer's memory is divided by.

    ``counted`` is the tracer's own name for the units, ``units`` how many there are at a scale. The
    bound counts the block table only where the units are blocks: it grows with the blocks that
    live, not with the frames.
    """

    workload: str
    modes: tuple[str, ...]
    unit: str
    counted: str
    units: Callable[[float], int]
    most_bytes: float
    with_block_table: bool


SUBJECTS = (
    Subject(
        workload="hold",
        modes=("tracemalloc1", "tracemalloc25", "memtrace1", "memtrace25"),
        unit="live block",
        counted="blocks",
        units=own.held_blocks,
        most_bytes=12,
        with_block_table=True,
    ),
    Subject(
        workload="bintree",
        modes=("tracemalloc25", "memtrace25"),
        unit="distinct frame",
        counted="frames",
        units=own.bintree_frames,
        most_bytes=48,
        with_block_table=False,
    ),
)

Report = dict[str, Any]
Reports = Mapping[tuple[str, str], Sequence[Report]]
"""The reports of all repetitions by (workload, mode)."""


@dataclass(frozen=True)
class Row:
    """Bytes of tracer for each unit of a workload under one mode."""

    subject: Subject
    mode: str
    units: int
    by_own_word: float
    block_table: float | None
    by_resident: float

    def cells(self) -> list[str]:
        """Return the row as text."""
        units = f"{self.units:,} {self.subject.unit}s"
        numbers = (self.by_own_word, self.block_table, self.by_resident)
        cells = ("" if number is None else f"{number:.1f}" for number in numbers)
        return [self.subject.workload, MODES[self.mode].label, units, *cells]


HEADER = ("workload", "mode", "units", "B a unit, own word", "of these, block table", "B a unit, resident")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    options = _parse(arguments)
    scale = SMOKE_SCALE if options.smoke else 1.0
    reports, problems = _measure(options, scale)
    rows: list[Row] = []
    if not problems:
        problems = doubtful_reports(reports, scale)
        rows = [_row(reports, subject, mode, scale) for subject, mode in _subjects_and_modes(options)]
    facts = environment.describe()
    facts["method"] = f"repetitions: {options.repeat}, median; fresh process each, in turn"
    print(facts_table(facts))
    print(markdown_table(HEADER, [row.cells() for row in rows]))
    if options.assert_bounds:
        problems += exceeded_bounds(rows)
    results = {f"{workload} {mode}": list(r) for (workload, mode), r in reports.items()}
    return conclude(options.json, "memory", {"environment": facts, "problems": problems, "reports": results})


def doubtful_reports(reports: Reports, scale: float) -> list[str]:
    """Return one line for each reason not to believe *reports*.

    Each tracer must have traced, every mode have computed the same, and memtrace have counted as
    many units as the workload's structure gives: live blocks, or distinct frames (nodes and
    records).
    """
    found = []
    outcomes: dict[str, str] = {}
    for (workload, mode), of_mode in reports.items():
        subject = next(s for s in SUBJECTS if s.workload == workload)
        units = subject.units(scale)
        for report in of_mode:
            doubts = list(report["doubts"])
            counted = report[subject.counted]
            if counted is not None and abs(counted - units) > units * COUNT_TOLERANCE:
                doubts.append(f"{counted:,} {subject.counted}, {units:,} expected")
            if outcomes.setdefault(workload, report["outcome"]) != report["outcome"]:
                doubts.append("computed something else than in another mode")
            found += [f"{workload} under {mode}: {doubt}" for doubt in doubts]
    return found


def exceeded_bounds(rows: Sequence[Row]) -> list[str]:
    """Return one line for each bound that memtrace does not keep, in either way of measuring."""
    ours = [row for row in rows if row.mode.startswith("memtrace")]
    found = [] if ours else ["no bound can be checked without memtrace"]
    for row in ours:
        most = row.subject.most_bytes
        apart = 0.0 if row.subject.with_block_table else row.block_table or 0.0
        for way, value in (("own word", row.by_own_word - apart), ("resident memory", row.by_resident - apart)):
            if value > most:
                name = f"{row.subject.workload} under {row.mode}"
                found.append(f"{name}: {value:.1f} bytes a {row.subject.unit} by {way}, {most} expected")
    return found


def _row(reports: Reports, subject: Subject, mode: str, scale: float) -> Row:
    def median(of_mode: str, key: str) -> float:
        return float(statistics.median(report[key] for report in reports[subject.workload, of_mode]))

    units = subject.units(scale)
    resident = median(mode, "resident_bytes") - median(BASE, "resident_bytes")
    own_word = median(mode, "tracer_bytes")
    block_table = reports[subject.workload, mode][0]["block_table_bytes"]
    of_blocks = None if block_table is None else block_table / units
    return Row(subject, mode, units, own_word / units, of_blocks, resident / units)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = benchmark_parser("memory", __doc__, smoke=f"{SMOKE_SCALE} of the full size")
    known = sorted({mode for subject in SUBJECTS for mode in subject.modes})
    parser.add_argument("--modes", type=names_of(known), default=known, help=f"of {','.join(known)} (all)")
    options = parser.parse_args(arguments)
    options.repeat = options.repeat or (1 if options.smoke else 3)
    modules = {MODES[mode].module for mode in options.modes} - {""}
    require_modules(parser, modules, "choose others with --modes")
    return options


def _subjects_and_modes(options: argparse.Namespace) -> list[tuple[Subject, str]]:
    return [(s, mode) for s in SUBJECTS for mode in s.modes if mode in options.modes]


def _measure(options: argparse.Namespace, scale: float) -> tuple[Reports, list[str]]:
    plan = [(subject.workload, BASE) for subject in SUBJECTS]
    plan += [(subject.workload, mode) for subject, mode in _subjects_and_modes(options)]
    reports: dict[tuple[str, str], list[Report]] = {}
    problems = []
    for repetition in range(options.repeat):
        for workload, mode in plan:
            print(f"{repetition} {workload} {mode}", file=sys.stderr, flush=True)
            request = {"workload": workload, "mode": mode, "scale": scale}
            try:
                report = run_worker("benchmarks.workers.memory", request, timeout=options.timeout)
            except WorkerError as error:
                problems.append(f"{workload} under {mode}, repetition {repetition}: {error}")
            else:
                reports.setdefault((workload, mode), []).append(report)
    return reports, problems
