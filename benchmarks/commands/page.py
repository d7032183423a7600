"""How long a page about a large snapshot takes to write, to open and to search, and how large it is.

The snapshot has stacks of so many nodes as --nodes says. The page is opened in a Chromium without a window, through
Playwright (the extra "page").
Exit status: 0, 1 when a check or (with --assert) a bound failed, 2 for wrong usage.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.harness import environment
from benchmarks.harness.options import benchmark_parser, positive, require_modules
from benchmarks.harness.process import run_again
from benchmarks.harness.tables import conclude, facts_table, markdown_table

NODES = 100_000
SMOKE_NODES = 2_000

BOUNDS = {"write": 3.0, "open": 2.0, "search": 0.1, "megabytes": 5.0}
"""Seconds from the start of the command to its end, from the request for the page to the picture, and from the last
letter of a search to its answer; millions of bytes of the file."""

NOUNS = {
    "write": "write, s",
    "open": "open, s",
    "search": "search, s",
    "inverted": "turn around, s",
    "table": "table, s",
    "megabytes": "file, MB",
}

Report = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    parser = benchmark_parser("page", __doc__, smoke=f"{SMOKE_NODES:,} nodes, once")
    parser.add_argument("--nodes", type=positive, help=f"nodes of the tree of stacks ({NODES:,})")
    options = parser.parse_args(arguments)
    require_modules(parser, ["playwright"], "see the extra 'page'")
    request = {"nodes": options.nodes or (SMOKE_NODES if options.smoke else NODES)}
    repeat = options.repeat or (1 if options.smoke else 5)
    reports, problems = run_again("benchmarks.workers.page", request, repeat, timeout=options.timeout)
    problems += [problem for report in reports for problem in report["problems"]]
    facts = environment.describe()
    facts["method"] = f"{request['nodes']:,} nodes; repetitions: {repeat}, median; wall time"
    print(facts_table(facts))
    results = {name: statistics.median(report[name] for report in reports) for name in NOUNS} if reports else {}
    if results:
        print(markdown_table(["", "page"], [[NOUNS[name], f"{value:,.3f}"] for name, value in results.items()]))
    if options.assert_bounds:
        problems += exceeded_bounds(results)
    return conclude(options.json, "page", {"environment": facts, "problems": problems, "reports": reports})


def exceeded_bounds(results: Mapping[str, float]) -> list[str]:
    """Return one line for each bound that the page does not keep."""
    if not results:
        return ["no bound can be checked: there is no result"]
    return [
        f"{NOUNS[name]}: {results[name]:.3f}, more than {bound:g}"
        for name, bound in BOUNDS.items()
        if results[name] > bound
    ]
