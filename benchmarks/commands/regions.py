"""How long marks, labels and regions take to enter and leave.

A region copies the counters of all records that were alive at its peak: it is timed beside next to none
and beside many, and the difference is what these cost.
Exit status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness import environment
from benchmarks.harness.options import benchmark_parser
from benchmarks.harness.process import run_again
from benchmarks.harness.tables import conclude, facts_table, markdown_table

LINES = (0, 2_000, 10_000)
"""Lines with live blocks; each makes a record."""

MAX_NANOSECONDS = 1_000.0
"""To enter and leave, apart from the copying of records."""

Report = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    parser = benchmark_parser("regions", __doc__, smoke="a thousand turns, once")
    options = parser.parse_args(arguments)
    request = {"times": 1_000 if options.smoke else 50_000, "lines": LINES[:2] if options.smoke else LINES}
    repeat = options.repeat or (1 if options.smoke else 5)
    reports, problems = run_again("benchmarks.workers.regions", request, repeat, timeout=options.timeout)
    facts = environment.describe()
    facts["method"] = f"{request['times']:,} turns, the fastest of seven; repetitions: {repeat}, median; cpu time"
    print(facts_table(facts))
    results = results_of(reports) if reports else {}
    if results:
        print(markdown_table(["", "nanoseconds"], [[noun, f"{value:,.1f}"] for noun, value in results.items()]))
    if options.assert_bounds:
        problems += exceeded_bounds(results)
    return conclude(options.json, "regions", {"environment": facts, "problems": problems, "reports": reports})


def results_of(reports: Sequence[Report]) -> dict[str, float]:
    """Return the medians, by what was timed."""
    results = {noun: statistics.median(report[noun] for report in reports) for noun in ("mark", "label")}
    regions = [
        sorted((int(records), duration) for records, duration in report["regions"].items()) for report in reports
    ]
    fewest = [durations[0] for durations in regions]
    results["region"] = statistics.median(duration for _, duration in fewest)
    for position in range(1, len(regions[0])):
        cost = statistics.median(
            (durations[position][1] - duration) / (durations[position][0] - records)
            for durations, (records, duration) in zip(regions, fewest, strict=True)
        )
        results[f"region, each of {regions[0][position][0]:,} live records"] = cost
    return results


def exceeded_bounds(results: Mapping[str, float]) -> list[str]:
    """Return one line for each bound that memtrace does not keep."""
    if not results:
        return ["no bound can be checked: there is no result"]
    return [
        f"{noun}: {results[noun]:,.0f} ns to enter and leave, more than {MAX_NANOSECONDS:,.0f}"
        for noun in ("mark", "label", "region")
        if results[noun] > MAX_NANOSECONDS
    ]
