"""How long snapshot operations take, and how much memory, with millions of live blocks.

The same generated program runs under tracemalloc and under memtrace, 25 frames, in separate
processes in turn; both must report the same blocks.
Exit status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness import environment
from benchmarks.harness.options import benchmark_parser, names_of, positive, require_modules
from benchmarks.harness.process import WorkerError, run_worker
from benchmarks.harness.stats import median_ratio
from benchmarks.harness.tables import conclude, facts_table, markdown_table

REFERENCE = "tracemalloc"
OURS = "memtrace"
TRACERS = (REFERENCE, OURS)

BLOCKS = 2_000_000
STACKS = 16_384
SMOKE_BLOCKS = 20_000
SMOKE_STACKS = 512

BOUNDS = {
    "seconds": {
        "take_snapshot": 50,
        "statistics lineno": 100,
        "statistics traceback": 100,
        "statistics filename": 100,
        "statistics cumulative": 100,
        "filter_traces": 100,
        "compare_to": 100,
    },
    "size_kib": {
        "added by take_snapshot": 10,
        "added by take_snapshot and first statistics": 10,
    },
}
"""By how much less memtrace must need than tracemalloc."""

TOLERANCE = 0.002

LEAST = {"seconds": 1e-9, "size_kib": 1.0}

Report = dict[str, Any]
"""What one worker reported: seconds, size_kib and results, each by name."""

Reports = Sequence[Mapping[str, Report]]
"""One mapping by tracer for each repetition."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    options = _parse(arguments)
    reports, problems = _measure(options)
    if not problems:
        problems = differing_results(reports)
    facts = environment.describe()
    facts["method"] = (
        f"{options.blocks:,} live blocks on {options.stacks:,} stacks, 25 frames; "
        f"repetitions: {options.repeat}, median; fresh process each, in turn"
    )
    print(facts_table(facts))
    if reports[0]:
        print(_table(reports, "seconds", "ms", 1000))
        print(_table(reports, "size_kib", "MiB", 1 / 1024))
    if options.assert_bounds:
        problems += exceeded_bounds(reports)
    return conclude(options.json, "snapshots", {"environment": facts, "problems": problems, "repetitions": reports})


def differing_results(reports: Reports) -> list[str]:
    """Return one line for each result in which two processes do not agree.

    The program's own blocks must be the same in every grouping, filter, comparison and file, under
    both tracers and in every repetition: the same groups and first group, and totals that differ
    by at most `TOLERANCE`. Before Python 3.13 no tracer sees an object taken from a free list, and
    which of the program's lists are such objects depends on the lists that the tracer freed.
    """
    expected: dict[str, Any] = {}
    found = []
    for repetition, report_by_tracer in enumerate(reports):
        for tracer, report in report_by_tracer.items():
            for name, result in report["results"].items():
                if not _agree(expected.setdefault(name, result), result):
                    found.append(
                        f"{name} under {tracer}, repetition {repetition}: {result} instead of {expected[name]}"
                    )
    return found


def _agree(expected: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    def near(key: str, of: str) -> bool:
        return bool(abs(result[key] - expected[key]) <= TOLERANCE * expected[of])

    same = all(result[key] == expected[key] for key in ("groups", "first"))
    return same and near("count", "count") and near("size", "size") and near("growth", "size")


def exceeded_bounds(reports: Reports) -> list[str]:
    """Return one line for each bound that memtrace does not keep."""
    if not reports or any(tracer not in reports[0] for tracer in TRACERS):
        return ["no bound can be checked without both tracers"]
    found = []
    for kind, bounds in BOUNDS.items():
        for name, least in bounds.items():
            ratio = median_ratio(_pairs(reports, kind, name))
            if ratio < least:
                found.append(f"{name}: {ratio:.1f} times less than {REFERENCE}, {least} expected")
    return found


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = benchmark_parser("snapshots", __doc__, smoke=f"{SMOKE_BLOCKS:,} blocks")
    parser.add_argument("--tracers", type=names_of(TRACERS), default=list(TRACERS), help="(both)")
    parser.add_argument("--blocks", type=positive, help=f"live blocks ({BLOCKS:,})")
    options = parser.parse_args(arguments)
    options.blocks = options.blocks or (SMOKE_BLOCKS if options.smoke else BLOCKS)
    options.stacks = SMOKE_STACKS if options.smoke else STACKS
    options.repeat = options.repeat or (1 if options.smoke else 3)
    require_modules(parser, options.tracers, "choose others with --tracers")
    return options


def _measure(options: argparse.Namespace) -> tuple[list[dict[str, Report]], list[str]]:
    reports: list[dict[str, Report]] = []
    problems = []
    for repetition in range(options.repeat):
        by_tracer: dict[str, Report] = {}
        for tracer in options.tracers:
            request = {"tracer": tracer, "blocks": options.blocks, "stacks": options.stacks}
            print(f"{repetition} {tracer}", file=sys.stderr, flush=True)
            try:
                by_tracer[tracer] = run_worker("benchmarks.workers.snapshots", request, timeout=options.timeout)
            except WorkerError as error:
                problems.append(f"{tracer}, repetition {repetition}: {error}")
        reports.append(by_tracer)
    return reports, problems


def _pairs(reports: Reports, kind: str, name: str) -> list[tuple[float, float]]:
    """Return (tracemalloc, memtrace) of each repetition; less than 1 KiB or 1 ns counts as that."""
    least = LEAST[kind]
    return [
        (report[REFERENCE][kind][name], max(report[OURS][kind][name], least))
        for report in reports
        if all(tracer in report for tracer in TRACERS)
    ]


def _table(reports: Reports, kind: str, unit: str, factor: float) -> str:
    """Return medians by tracer in *unit* and, where both ran, the median of the ratios."""
    tracers = [tracer for tracer in TRACERS if any(tracer in report for report in reports)]
    names = next(iter(reports[0].values()))[kind]
    rows = []
    for name in names:
        columns = [
            statistics.median(report[tracer][kind][name] for report in reports if tracer in report)
            for tracer in tracers
        ]
        row = [name, *(f"{value * factor:,.2f}" for value in columns)]
        if pairs := _pairs(reports, kind, name):
            row.append(f"{median_ratio(pairs):,.0f}x")
        rows.append(row)
    header = ["", *(f"{tracer} ({unit})" for tracer in tracers), "less by"]
    return markdown_table(header[: len(rows[0])], rows)
