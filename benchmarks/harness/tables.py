"""Markdown tables and result files."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.harness.stats import summarise

SCHEMA_VERSION = 1


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table whose first column is text and whose others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def ratio_table(programs: Sequence[str], ratios: Mapping[str, Mapping[str, float]], labels: Mapping[str, str]) -> str:
    """Return a row for each program, one for the geometric means, one for the worst; a column for each mode."""
    summaries = {mode: summarise(by_program) for mode, by_program in ratios.items() if by_program}
    rows = [[program, *(_cell(by_program.get(program)) for by_program in ratios.values())] for program in programs]
    geomeans = {mode: summary.geomean for mode, summary in summaries.items()}
    worsts = {mode: summary.worst for mode, summary in summaries.items()}
    for name, values in (("geometric mean", geomeans), ("worst", worsts)):
        rows.append([f"**{name}**", *(f"**{_cell(values.get(mode))}**" for mode in ratios)])
    return markdown_table(["program", *(labels[mode] for mode in ratios)], rows)


def _cell(ratio: float | None) -> str:
    return "failed" if ratio is None else f"{ratio:.2f}"


def facts_table(facts: Mapping[str, str]) -> str:
    """Return facts as a list of one line each."""
    return "".join(f"- {name}: {value}\n" for name, value in facts.items())


def conclude(path: Path | None, benchmark: str, result: Mapping[str, Any]) -> int:
    """End a benchmark: write *result* to *path*, if any; return the exit status, 1 when it has problems.

    The file is marked with the benchmark's name and the version of the layout. Problems, one line
    each, also go to standard error.
    """
    if path is not None:
        document = {"schema": SCHEMA_VERSION, "benchmark": benchmark, **result}
        path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for problem in result["problems"]:
        print(problem, file=sys.stderr)
    return 1 if result["problems"] else 0
