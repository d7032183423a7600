"""``memtrace diff``: what changed between two snapshots."""

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


@click.command(short_help="Show what changed between two snapshots.")
@click.argument("old", type=snapshot_path)
@click.argument("new", type=snapshot_path)
@selection_options()
def command(old: Path, new: Path, selection: Selection, as_json: bool) -> None:
    """Show what changed from the snapshot in OLD to the one in NEW, largest change first.

    The files were written by `memtrace run`, Snapshot.dump() or tracemalloc. memtrace's own lines are
    left out.

    \b
    Examples:
      python -m memtrace diff before.mtrace after.mtrace
      python -m memtrace diff before.mtrace after.mtrace --group-by traceback --limit 3
    """
    from memtrace.reports.diff import DiffReport
    from memtrace.reports.output import show_report

    with working(f"Reading {new}"):
        report = DiffReport.of(selected(old, selection), selected(new, selection), selection)
    show_report(report, f"{old} to {new}", sys.stdout, as_json=as_json)
