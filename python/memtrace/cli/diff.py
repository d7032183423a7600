"""``memtrace diff``: what changed between two snapshots."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from memtrace.cli.files import load_snapshot, snapshot_path
from memtrace.cli.options import make_selection, selection_options


@click.command(short_help="Show what changed between two snapshots.")
@click.argument("old", type=snapshot_path)
@click.argument("new", type=snapshot_path)
@selection_options
def command(
    old: Path,
    new: Path,
    group_by: str,
    cumulative: bool,
    filters: tuple[str, ...],
    all_frames: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Show what changed from the snapshot in OLD to the one in NEW, largest change first.

    The files were written by `memtrace run`, Snapshot.dump() or tracemalloc. memtrace's own lines are
    left out.

    \b
    Examples:
      python -m memtrace diff before.mtrace after.mtrace
      python -m memtrace diff before.mtrace after.mtrace --group-by traceback --limit 3
    """
    selection = make_selection(group_by, cumulative, filters, all_frames, limit)

    from memtrace.reports.diff import DiffReport
    from memtrace.reports.output import show, show_json

    report = DiffReport.of(load_snapshot(old), load_snapshot(new), selection)
    if as_json:
        show_json(report.to_json(), sys.stdout)
    else:
        show(report.to_table(f"{old} to {new}"), sys.stdout)
