"""``memtrace stats``: what a snapshot holds."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import selected, snapshot_path
from memtrace.cli.options import selection_options
from memtrace.cli.progress import working

if TYPE_CHECKING:
    from memtrace.reports.selection import Selection


@click.command(short_help="Show what a snapshot holds, largest first.")
@click.argument("file", type=snapshot_path)
@selection_options()
def command(file: Path, selection: Selection, as_json: bool) -> None:
    """Show what the snapshot in FILE holds, largest first.

    FILE was written by `memtrace run`, Snapshot.dump() or tracemalloc. memtrace's own lines are left out.

    \b
    Examples:
      python -m memtrace stats app.mtrace
      python -m memtrace stats app.mtrace --group-by filename --filter '!<frozen *>'
      python -m memtrace stats app.mtrace --group-by traceback --filter '*/app/*' --all-frames
    """
    from memtrace.reports.output import show_report
    from memtrace.reports.stats import StatsReport

    with working(f"Reading {file}"):
        report = StatsReport.of(selected(file, selection), selection)
    show_report(report, str(file), sys.stdout, as_json=as_json)
