"""``memtrace info``: what kind of file a snapshot is, and how much is in it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from memtrace.cli.files import load_file, snapshot_path
from memtrace.cli.progress import working


@click.command(short_help="Show what a snapshot file has.")
@click.argument("file", type=snapshot_path)
@click.option("--json", "as_json", is_flag=True, help="Write JSON, sizes in bytes.")
def command(file: Path, as_json: bool) -> None:
    """Show what the snapshot in FILE has: how much memory, how it was recorded, its peak
    and timeline, which domains, threads, labels and marks.

    FILE was written by `memtrace run`, Snapshot.dump() or tracemalloc, or is a pprof profile of live memory.

    \b
    Examples:
      python -m memtrace info app.mtrace
      python -m memtrace info app.mtrace --json
    """
    from memtrace.reports.info import InfoReport
    from memtrace.reports.output import show_report

    with working(f"reading {file}"):
        loaded = load_file(file)
        report = InfoReport.of(loaded.snapshot, loaded.format, loaded.version, file.stat().st_size)
    show_report(report, str(file), sys.stdout, as_json=as_json)
