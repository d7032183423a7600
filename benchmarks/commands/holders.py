"""How long memtrace.holders() takes in a program of millions of objects.

A generated program keeps users, each with a list, a dictionary, a text and a tuple and a reference to
another by chance, and asks who holds one of them. Beside it stands a full collection of the same
objects, which looks at each of them, too.
Exit status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness import environment
from benchmarks.harness.options import benchmark_parser, positive
from benchmarks.harness.process import run_again
from benchmarks.harness.tables import conclude, facts_table, markdown_table

OBJECTS = 1_000_000
SMOKE_OBJECTS = 20_000

MAX_SECONDS = 2.0
"""For a million objects."""

Report = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    parser = benchmark_parser("holders", __doc__, smoke="20,000 objects, once")
    parser.add_argument("--objects", type=positive, help=f"objects that the program keeps ({OBJECTS:,})")
    options = parser.parse_args(arguments)
    objects = options.objects or (SMOKE_OBJECTS if options.smoke else OBJECTS)
    repeat = options.repeat or (1 if options.smoke else 5)
    reports, problems = run_again("benchmarks.workers.holders", {"objects": objects}, repeat, timeout=options.timeout)
    problems += sorted({doubt for report in reports for doubt in report["doubts"]})
    facts = environment.describe()
    facts["method"] = f"{objects:,} objects; repetitions: {repeat}, median; fresh process each, cpu time"
    print(facts_table(facts))
    if reports:
        print(_table(reports))
    if options.assert_bounds:
        problems += exceeded_bounds(reports, objects)
    return conclude(options.json, "holders", {"environment": facts, "problems": problems, "reports": reports})


def exceeded_bounds(reports: Sequence[Report], objects: int) -> list[str]:
    """Return one line for each bound that memtrace does not keep."""
    if not reports:
        return ["no bound can be checked: there is no result"]
    seconds = _median(reports, "seconds") * OBJECTS / objects
    if seconds <= MAX_SECONDS:
        return []
    return [f"holders() takes {seconds:.2f} s for a million objects, more than {MAX_SECONDS}"]


def _median(reports: Sequence[Report], noun: str) -> float:
    return statistics.median(report[noun] for report in reports)


def _table(reports: Sequence[Report]) -> str:
    rows = [
        ["holders()", f"{_median(reports, 'seconds'):.2f}"],
        ["gc.collect()", f"{_median(reports, 'collection'):.2f}"],
    ]
    added = _median(reports, "added_kib") / 1024
    return f"{markdown_table(['', 'seconds'], rows)}\nAt most {added:.0f} MiB more resident memory meanwhile.\n"
