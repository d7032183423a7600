"""How fast this memtrace is beside another one: before and after a change, and with questions that the other lacks.

``pairs.py PYTHON`` runs every program under the memtrace that is installed for PYTHON, an interpreter of
the same version, and under this one, in turn, each in a fresh process, and prints ratios of time.
Exit status: 0, 1 when a check or (with --assert) the bound failed, 2 for wrong usage.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.harness import environment
from benchmarks.harness.checks import failures
from benchmarks.harness.modes import MODES
from benchmarks.harness.options import CLOCKS, parse_with_defaults, program_parser
from benchmarks.harness.runs import execute, interleaved, show_progress
from benchmarks.harness.stats import paired_ratios, summarise
from benchmarks.harness.tables import conclude, facts_table, ratio_table

OTHER = "other"
COLUMNS = {"memtrace1": "memtrace1", "memtrace25": "memtrace25", "asked25": "memtrace25"}
"""A mode of this memtrace, and the one of the other that it is compared with."""

MAX_GEOMEAN = 1.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure as the command line says; return the exit status."""
    options = _parse(arguments)
    others = dict.fromkeys(f"{OTHER} {COLUMNS[mode]}" for mode in options.modes)
    runs = []
    for program, column, repetition in interleaved(options.programs, [*others, *options.modes], options.repeat):
        python = options.python if column in others else sys.executable
        run = execute(
            program,
            _mode_of(column),
            repetition,
            smoke=options.smoke,
            timeout=options.timeout,
            python=python,
        )
        runs.append(replace(run, mode=column))
        show_progress(runs[-1])
    problems = failures([replace(run, mode=_mode_of(run.mode)) for run in runs])
    clock = CLOCKS[options.clock]
    ratios = {mode: paired_ratios(runs, mode, f"{OTHER} {COLUMNS[mode]}", clock) for mode in options.modes}
    facts = environment.describe()
    facts["the other"] = options.python
    facts["method"] = (
        f"repetitions: {options.repeat}, geometric mean of the ratios within each, fresh process each, "
        f"{options.clock} time"
    )
    print(facts_table(facts))
    print(ratio_table(options.programs, ratios, {mode: MODES[mode].label for mode in options.modes}))
    if options.assert_bounds:
        problems += exceeded_bounds(ratios)
    result = {
        "environment": facts,
        "problems": problems,
        "ratios": ratios,
        "runs": [run.as_json() for run in runs],
    }
    return conclude(options.json, "pairs", result)


def exceeded_bounds(ratios: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return one line for each mode that takes longer than the other's by more than is allowed."""
    found = []
    for mode, by_program in ratios.items():
        if not by_program:
            found.append(f"{mode}: no pair")
        elif (geomean := summarise(by_program).geomean) > MAX_GEOMEAN:
            found.append(f"{mode}: geometric mean {geomean:.3f} > {MAX_GEOMEAN}")
    return found


def _mode_of(column: str) -> str:
    return column.removeprefix(f"{OTHER} ")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = program_parser("pairs", __doc__, COLUMNS)
    parser.add_argument("python", metavar="PYTHON", help="the interpreter that the other memtrace is installed for")
    options = parse_with_defaults(parser, arguments, COLUMNS)
    if shutil.which(options.python) is None:
        parser.error(f"PYTHON must be an interpreter, which {options.python} is not")
    return options
