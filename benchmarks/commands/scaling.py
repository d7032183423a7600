"""How fast two threads allocate side by side under each tracer, and how fast one alone.

The threads do not share a lock: they allocate from C with the GIL released and, in a free-threaded
interpreter, from Python. What they share beyond the allocator is the tracer. Each number of threads
runs under every mode in turn, each in a fresh process.
Exit status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping, Sequence

from benchmarks.harness import environment
from benchmarks.harness.modes import MODES
from benchmarks.harness.options import benchmark_parser, names_of, require_modules
from benchmarks.harness.process import WorkerError, run_worker
from benchmarks.harness.stats import median_ratio
from benchmarks.harness.tables import conclude, facts_table, markdown_table
from benchmarks.threads import WORKLOADS

OURS = "memtrace25"
REFERENCE = "tracemalloc25"
COMPARED = ("bare", REFERENCE, "memray", OURS)
THREADS = (1, 2)

ROUNDS: Mapping[str, int] = {"bare": 10_000_000, REFERENCE: 200_000, "memray": 1_000_000, OURS: 5_000_000}
"""How often each thread replaces a block: half a second or so for one thread alone."""
SMOKE_ROUNDS = 20_000

MIN_SCALING = 1.8
"""How many times one thread's rate two threads must have under memtrace."""
MIN_AGAINST_REFERENCE = 8.0
"""How many times tracemalloc's rate, with two threads."""

Rates = Mapping[tuple[str, str, int], Sequence[float]]
"""Blocks replaced a second by workload, mode and number of threads, one for each repetition."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    options = _parse(arguments)
    rates, problems = _measure(options)
    facts = environment.describe()
    facts["method"] = f"repetitions: {options.repeat}, median; fresh process each, in turn, {options.clock} time"
    print(facts_table(facts))
    print(_table(rates, options.modes))
    if options.assert_bounds:
        problems += exceeded_bounds(rates)
    results = {f"{workload} {mode} {threads}": list(r) for (workload, mode, threads), r in rates.items()}
    return conclude(options.json, "scaling", {"environment": facts, "problems": problems, "rates": results})


def exceeded_bounds(rates: Rates) -> list[str]:
    """Return one line for each bound that memtrace does not keep.

    A mode that was not measured counts as a bound not kept.
    """
    found = []
    for workload in WORKLOADS:
        two = rates.get((workload, OURS, 2))
        for what, other, least in (
            ("one thread", rates.get((workload, OURS, 1)), MIN_SCALING),
            ("tracemalloc(25)", rates.get((workload, REFERENCE, 2)), MIN_AGAINST_REFERENCE),
        ):
            if not two or not other:
                found.append(f"{workload}: no bound can be checked without memtrace(25) and {what}")
                continue
            ratio = median_ratio(zip(two, other, strict=False))
            if ratio < least:
                found.append(f"{workload}: two threads at {ratio:.2f} times the rate of {what}, {least} expected")
    return found


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = benchmark_parser("scaling", __doc__, smoke=f"{SMOKE_ROUNDS:,} blocks a thread")
    parser.add_argument(
        "--clock",
        choices=("wall", "cpu"),
        default="wall",
        help="wall, or cpu: on a machine that is busy with other things; does not see who waits for a lock (wall)",
    )
    parser.add_argument(
        "--modes", type=names_of(COMPARED), default=list(COMPARED), help=f"of {','.join(COMPARED)} (all)"
    )
    options = parser.parse_args(arguments)
    options.repeat = options.repeat or (1 if options.smoke else 5)
    modules = {MODES[mode].module for mode in options.modes} - {""}
    require_modules(parser, modules, "choose others with --modes")
    return options


def _measure(options: argparse.Namespace) -> tuple[Rates, list[str]]:
    rates: dict[tuple[str, str, int], list[float]] = {}
    problems = []
    plan = [(workload, mode, threads) for workload in WORKLOADS for mode in options.modes for threads in THREADS]
    for repetition in range(options.repeat):
        for workload, mode, threads in plan:
            rounds = SMOKE_ROUNDS if options.smoke else ROUNDS[mode]
            request = {"workload": workload, "mode": mode, "threads": threads, "rounds": rounds}
            name = f"{workload} under {mode}, threads: {threads}, repetition {repetition}"
            try:
                report = run_worker("benchmarks.workers.scaling", request, timeout=options.timeout)
            except WorkerError as error:
                problems.append(f"{name}: {error}")
                continue
            rate = report["rates"][options.clock]
            print(f"{name}: {rate / 1e6:.2f} million a second", file=sys.stderr, flush=True)
            problems += [f"{name}: {doubt}" for doubt in report["doubts"]]
            rates.setdefault((workload, mode, threads), []).append(rate)
    return rates, problems


def _table(rates: Rates, modes: Sequence[str]) -> str:
    rows = []
    for workload in WORKLOADS:
        for mode in modes:
            by_threads = [rates.get((workload, mode, threads)) for threads in THREADS]
            cells = ["failed" if of is None else f"{statistics.median(of) / 1e6:.2f}" for of in by_threads]
            one, two = by_threads
            cells.append(f"{median_ratio(zip(two, one, strict=False)):.2f}" if one and two else "failed")
            rows.append([workload, MODES[mode].label, *cells])
    header = ("blocks", "mode", "1 thread (million/s)", "2 threads (million/s)", "times as fast")
    return markdown_table(header, rows)
