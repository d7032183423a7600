"""How many bytes of a program get a type, how long that takes, and what it leaves behind.

Two programs in processes of their own: a million objects of known classes, and one that has pandas
and Django at work. Exit status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness import environment
from benchmarks.harness.options import benchmark_parser, names_of, require_modules
from benchmarks.harness.process import WorkerError, run_worker
from benchmarks.harness.tables import conclude, facts_table, markdown_table

PROGRAMS = {"objects": (), "pandas and Django": ("pandas", "django")}
"""What each needs beside memtrace."""

OBJECTS = 1_000_000
SMOKE_OBJECTS = 20_000

LEAST_SHARE = 0.95
MOST_SECONDS = 2.0

Reports = Mapping[str, Sequence[Mapping[str, Any]]]
"""What the workers reported: by program, one for each repetition."""

HEADER = [
    "program",
    "blocks",
    "bytes with a type",
    "take_snapshot (ms)",
    "with types (ms)",
    "statistics by type (ms)",
    "objects of a row (ms)",
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    options = _parse(arguments)
    reports, problems = _measure(options)
    facts = environment.describe()
    facts["method"] = f"repetitions: {options.repeat}, median; fresh process each, in turn"
    print(facts_table(facts))
    print(markdown_table(HEADER, [_row(program, reports[program]) for program in reports if reports[program]]))
    problems += [
        f"{program}: {doubt}" for program in reports for report in reports[program] for doubt in report["doubts"]
    ]
    if options.assert_bounds:
        problems += exceeded_bounds(reports)
    return conclude(options.json, "object_types", {"environment": facts, "problems": problems, "reports": reports})


def exceeded_bounds(reports: Reports) -> list[str]:
    """Return one line for each bound that is not kept."""
    found = []
    for program, runs in reports.items():
        if not runs:
            found.append(f"{program}: nothing to check")
            continue
        if (share := _median(runs, "share")) < LEAST_SHARE:
            found.append(f"{program}: {share:.1%} of the bytes have a type, {LEAST_SHARE:.0%} expected")
        if (seconds := _median(runs, "typed_seconds")) > MOST_SECONDS:
            found.append(f"{program}: {seconds:.2f} s to take a snapshot, {MOST_SECONDS:g} expected")
    return found


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = benchmark_parser("object_types", __doc__, smoke=f"{SMOKE_OBJECTS:,} objects")
    parser.add_argument("--programs", type=names_of(PROGRAMS), default=list(PROGRAMS), help="(both)")
    options = parser.parse_args(arguments)
    options.repeat = options.repeat or (1 if options.smoke else 3)
    needed = [module for program in options.programs for module in PROGRAMS[program]]
    require_modules(parser, needed, "choose others with --programs")
    return options


def _measure(options: argparse.Namespace) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    reports: dict[str, list[dict[str, Any]]] = {program: [] for program in options.programs}
    problems = []
    count = SMOKE_OBJECTS if options.smoke else OBJECTS
    for repetition in range(options.repeat):
        for program in options.programs:
            print(f"{repetition} {program}", file=sys.stderr, flush=True)
            request = {"program": program, "objects": count}
            try:
                reports[program].append(run_worker("benchmarks.workers.object_types", request, timeout=options.timeout))
            except WorkerError as error:
                problems.append(f"{program}, repetition {repetition}: {error}")
    return reports, problems


def _median(runs: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(statistics.median(run[name] for run in runs))


def _row(program: str, runs: Sequence[Mapping[str, Any]]) -> list[str]:
    times = ("plain_seconds", "typed_seconds", "statistics_seconds", "objects_seconds")
    return [
        program,
        f"{_median(runs, 'blocks'):,.0f}",
        f"{_median(runs, 'share'):.1%}",
        *(f"{_median(runs, name) * 1000:,.0f}" for name in times),
    ]
