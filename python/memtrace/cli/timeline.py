"""``memtrace timeline``: how much memory a program had, and when."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from memtrace.cli.files import load_snapshot, selecting_from, snapshot_path
from memtrace.cli.progress import working

_WIDTH, _HEIGHT = 80, 24


@click.command(short_help="Show how much memory a program had, and when.")
@click.argument("file", type=snapshot_path)
@click.option("--json", "as_json", is_flag=True, help="Write the points as JSON, sizes in bytes.")
@click.option("--csv", "as_csv", is_flag=True, help="Write the points as comma-separated values, sizes in bytes.")
def command(file: Path, as_json: bool, as_csv: bool) -> None:
    """Show as a chart how much memory the program had whose snapshot is in FILE, with the peak marked.

    Below it is what the whole process had in memory, where the system said so.

    \b
    Examples:
      python -m memtrace timeline app.mtrace
      python -m memtrace timeline app.mtrace --csv > app.csv
    """
    if as_json and as_csv:
        raise click.UsageError("--json and --csv cannot be used together.")
    from memtrace.reports.output import is_rich, write_json
    from memtrace.reports.text import printable
    from memtrace.reports.timeline import TimelineReport, show_on_terminal

    with working(f"Reading {file}"):
        snapshot = load_snapshot(file)
    with selecting_from(file):
        report = TimelineReport.of(snapshot)
    stream = sys.stdout
    encoding = stream.encoding or "utf-8"
    if as_json:
        write_json(report.to_json(), stream)
    elif as_csv:
        report.write_csv(stream)
    else:
        width, height = shutil.get_terminal_size((_WIDTH, _HEIGHT)) if stream.isatty() else (_WIDTH, _HEIGHT)
        full = "\N{FULL BLOCK}"
        lines = report.lines(str(file), width, min(height, _HEIGHT), blocks=printable(full, encoding) == full)
        if is_rich(stream):
            show_on_terminal(lines, stream)
        else:
            text = "".join(printable(line.text + line.drawn, encoding).rstrip() + "\n" for line in lines)
            stream.write(text)
