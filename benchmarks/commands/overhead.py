"""How much slower, and how much larger, programs get under each tracer.

Runs every program under every mode in turn, each in a fresh process, checks that all did the
same work and that the tracers traced, and prints Markdown tables of ratios to the bare run.
Exit status: 0, 1 when a check or (with ``--assert``) a bound failed, 2 for wrong usage.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

from benchmarks.harness import environment
from benchmarks.harness.checks import failures
from benchmarks.harness.measure import Measurement
from benchmarks.harness.modes import MODES
from benchmarks.harness.options import CLOCKS, parse_with_defaults, program_parser
from benchmarks.harness.process import HASH_SEED
from benchmarks.harness.runs import Run, execute_all, interleaved, show_progress
from benchmarks.harness.stats import paired_ratios, summarise
from benchmarks.harness.tables import conclude, facts_table, ratio_table

BASE = "bare"
MAX_GEOMEAN_25 = 1.50
MAX_WORST_25 = 5.0
MAX_GEOMEAN_SAMPLED = 1.05
MAX_WORST_SAMPLED = 1.20
MAX_RESIDENT_SAMPLED = 1.02
SAMPLED = ("sampled", "imported")
MAX_GEOMEAN_1 = 1.35 if sys.version_info >= (3, 14) else 1.30
"""Interpreters that are faster by themselves leave a tracer less time for the same ratio."""

Ratios = Mapping[str, Mapping[str, float]]
"""Mode, program, ratio to bare."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    options = _parse(arguments)
    plan = interleaved(options.programs, options.modes, options.repeat)
    _warm_byte_code(options.programs, options.modes, options.timeout)
    runs = execute_all(plan, smoke=options.smoke, timeout=options.timeout, progress=show_progress)
    traced_modes = [mode for mode in options.modes if mode != BASE]
    seconds = _ratios(runs, traced_modes, CLOCKS[options.clock])
    memory = _ratios(runs, traced_modes, lambda m: m.peak_resident_kib)
    facts = environment.describe()
    facts["method"] = (
        f"repetitions: {options.repeat}, geometric mean of the ratios within each, "
        f"fresh process each, {options.clock} time, PYTHONHASHSEED={HASH_SEED}"
    )
    print(_report(facts, options.programs, seconds, memory))
    problems = failures(runs)
    if options.assert_bounds:
        problems += exceeded_bounds(seconds) if set(options.modes) - {BASE, "floor", *SAMPLED} else []
        problems += exceeded_bounds_of_samples(seconds, memory)
    return conclude(options.json, "overhead", _result(facts, runs, seconds, memory, problems))


def exceeded_bounds(seconds: Ratios) -> list[str]:
    """Return one line for each bound that memtrace does not keep.

    A mode that was not measured counts as a bound not kept.
    """
    missing = [mode for mode in ("memtrace1", "memtrace25", "memray") if not seconds.get(mode)]
    if missing:
        return [f"no bound can be checked without {mode}" for mode in missing]
    found = []
    full, one = summarise(seconds["memtrace25"]), summarise(seconds["memtrace1"])
    if full.geomean > MAX_GEOMEAN_25:
        found.append(f"memtrace(25): geometric mean {full.geomean:.2f} > {MAX_GEOMEAN_25}")
    if full.worst > MAX_WORST_25:
        found.append(f"memtrace(25): {full.worst_program} {full.worst:.2f} > {MAX_WORST_25}")
    if one.geomean > MAX_GEOMEAN_1:
        found.append(f"memtrace(1): geometric mean {one.geomean:.2f} > {MAX_GEOMEAN_1}")
    for program, ratio in seconds["memtrace25"].items():
        rival = seconds["memray"].get(program)
        if rival is None or ratio >= rival:
            found.append(f"memtrace(25): {program} {ratio:.2f}, memray {rival}")
    return found


def exceeded_bounds_of_samples(seconds: Ratios, memory: Ratios) -> list[str]:
    """Return one line for each bound that memtrace does not keep while it samples.

    Its resident memory is compared with that of a process that has imported it.
    """
    missing = [mode for mode in SAMPLED if not seconds.get(mode)]
    if missing:
        return [f"no bound of samples can be checked without {mode}" for mode in missing]
    found = []
    time = summarise(seconds["sampled"])
    if time.geomean > MAX_GEOMEAN_SAMPLED:
        found.append(f"samples: geometric mean {time.geomean:.3f} > {MAX_GEOMEAN_SAMPLED}")
    if time.worst > MAX_WORST_SAMPLED:
        found.append(f"samples: {time.worst_program} {time.worst:.2f} > {MAX_WORST_SAMPLED}")
    resident = {program: ratio / memory["imported"][program] for program, ratio in memory["sampled"].items()}
    if summarise(resident).geomean > MAX_RESIDENT_SAMPLED:
        found.append(f"samples: resident memory {summarise(resident).geomean:.3f} > {MAX_RESIDENT_SAMPLED}")
    return found


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = program_parser("overhead", __doc__, MODES)
    options = parse_with_defaults(parser, arguments, MODES)
    if BASE not in options.modes:
        parser.error(f"--modes must contain {BASE}: every ratio is relative to it")
    return options


def _warm_byte_code(programs: Sequence[str], modes: Sequence[str], timeout: float) -> None:
    """Import everything once, so that no measured process compiles a module."""
    plan = [*interleaved(programs, [BASE], 1), *interleaved(programs[:1], modes, 1)]
    execute_all(iter(plan), smoke=True, timeout=timeout, progress=lambda run: None)


def _ratios(runs: Sequence[Run], modes: Sequence[str], value: Callable[[Measurement], float]) -> Ratios:
    return {mode: paired_ratios(runs, mode, BASE, value) for mode in modes}


def _report(facts: Mapping[str, str], programs: Sequence[str], seconds: Ratios, memory: Ratios) -> str:
    labels = {mode: MODES[mode].label for mode in seconds}
    return "\n".join(
        [
            facts_table(facts),
            "Time, as a multiple of the bare run:\n",
            ratio_table(programs, seconds, labels),
            "Peak resident memory of the process, as a multiple of the bare run:\n",
            ratio_table(programs, memory, labels),
        ]
    )


def _result(
    facts: Mapping[str, str],
    runs: Sequence[Run],
    seconds: Ratios,
    memory: Ratios,
    problems: Sequence[str],
) -> dict[str, object]:
    def summaries(ratios: Ratios) -> dict[str, object]:
        return {mode: asdict(summarise(by)) for mode, by in ratios.items() if by}

    return {
        "environment": dict(facts),
        "problems": list(problems),
        "seconds": {"ratios": seconds, "summary": summaries(seconds)},
        "peak_resident": {"ratios": memory, "summary": summaries(memory)},
        "runs": [run.as_json() for run in runs],
    }
