"""Whether the estimates of a sampled trace are right, over many runs with other seeds.

Each run allocates the same blocks, sampled at 512 KiB, and compares what the statistics say with what was allocated: the
mean of the estimates with the truth, and how often the interval of 1.96 standard errors on either side has the truth in it.
Exit status: 0, 1 when a bound failed (with --assert) or a process did, 2 for wrong usage.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.harness import environment
from benchmarks.harness.options import benchmark_parser, require_modules
from benchmarks.harness.process import WorkerError, run_worker
from benchmarks.harness.tables import conclude, facts_table, markdown_table

RUNS = 1000
SMOKE_RUNS = 20

MAX_BIAS = 0.01
COVERAGE = (0.93, 0.97)


@dataclass(frozen=True)
class Outcome:
    """What all runs say about one number: a size in bytes, or a count."""

    truth: float
    bias: float
    """Of the mean of the estimates, as a part of the truth."""
    relative_error: float
    """Mean of the standard errors, as a part of the truth."""
    coverage: float
    """Part of the runs whose interval has the truth in it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    parser = benchmark_parser("sampling", __doc__, smoke=f"{SMOKE_RUNS} runs: says that it runs, and nothing more")
    options = parser.parse_args(arguments)
    require_modules(parser, ["memtrace"], "install memtrace first")
    runs = options.repeat or (SMOKE_RUNS if options.smoke else RUNS)
    try:
        report = run_worker("benchmarks.workers.sampling", {"runs": runs}, timeout=options.timeout)
    except WorkerError as error:
        print(error, file=sys.stderr)
        return 1
    outcomes = {name: outcome_of(**numbers) for name, numbers in report.items()}
    facts = environment.describe() | {"method": f"{runs} runs with other seeds, 512 KiB"}
    print(facts_table(facts))
    print(
        markdown_table(["of", "truth", "bias", "standard error", "coverage"], [row(*item) for item in outcomes.items()])
    )
    problems = exceeded_bounds(outcomes) if options.assert_bounds else []
    results = {name: asdict(outcome) for name, outcome in outcomes.items()}
    return conclude(options.json, "sampling", {"environment": facts, "problems": problems, "results": results})


def outcome_of(truth: float, estimates: Sequence[float], errors: Sequence[float]) -> Outcome:
    """Return what *estimates* with their standard *errors* say about *truth*."""
    runs = len(estimates)
    covered = sum(abs(estimate - truth) <= 1.96 * error for estimate, error in zip(estimates, errors, strict=True))
    return Outcome(truth, sum(estimates) / runs / truth - 1, sum(errors) / runs / truth, covered / runs)


def exceeded_bounds(outcomes: Mapping[str, Outcome]) -> list[str]:
    """Return one line for each bound that is not kept."""
    found = []
    for name, outcome in outcomes.items():
        if abs(outcome.bias) > MAX_BIAS:
            found.append(f"{name}: the mean is off by {outcome.bias:+.2%}, more than {MAX_BIAS:.0%}")
        if not COVERAGE[0] <= outcome.coverage <= COVERAGE[1]:
            found.append(f"{name}: {outcome.coverage:.1%} of the intervals have the truth in them")
    return found


def row(name: str, outcome: Outcome) -> list[str]:
    """Return the cells of one line of the table."""
    return [
        name,
        f"{outcome.truth:,.0f}",
        f"{outcome.bias:+.2%}",
        f"{outcome.relative_error:.2%}",
        f"{outcome.coverage:.1%}",
    ]
