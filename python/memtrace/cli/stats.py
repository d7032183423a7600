"""``memtrace stats``: what a snapshot holds."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from memtrace.cli.files import load_snapshot, snapshot_path
from memtrace.cli.options import make_selection, selection_options


@click.command(short_help="Show what a snapshot holds, largest first.")
@click.argument("file", type=snapshot_path)
@selection_options
def command(
    file: Path,
    group_by: str,
    cumulative: bool,
    filters: tuple[str, ...],
    all_frames: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Show what the snapshot in FILE holds, largest first.

    FILE was written by `memtrace run`, Snapshot.dump() or tracemalloc. memtrace's own lines are left out.

    \b
    Examples:
      python -m memtrace stats app.mtrace
      python -m memtrace stats app.mtrace --group-by filename --filter '!<frozen *>'
      python -m memtrace stats app.mtrace --group-by traceback --filter '*/app/*' --all-frames
    """
    selection = make_selection(group_by, cumulative, filters, all_frames, limit)

    from memtrace.reports.output import show, show_json
    from memtrace.reports.stats import StatsReport

    report = StatsReport.of(load_snapshot(file), selection)
    if as_json:
        show_json(report.to_json(), sys.stdout)
    else:
        show(report.to_table(str(file)), sys.stdout)
