"""``memtrace diff``: what changed between two snapshots."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import output_path, selected, snapshot_path
from memtrace.cli.options import selection_options
from memtrace.cli.page import no_source, redact, write_page
from memtrace.cli.progress import working

if TYPE_CHECKING:
    from memtrace.reports.selection import Selection


@click.command(short_help="Show what changed between two snapshots.")
@click.argument("old", type=snapshot_path)
@click.argument("new", type=snapshot_path)
@click.option(
    "--html", type=output_path, metavar="HTML", help="Write a page with a flame graph of the changes to HTML."
)
@no_source
@redact
@selection_options()
def command(
    old: Path, new: Path, html: Path | None, no_source: bool, redact: bool, selection: Selection, as_json: bool
) -> None:
    """Show what changed from the snapshot in OLD to the one in NEW, largest change first.

    The files were written by `memtrace run`, Snapshot.dump() or tracemalloc. memtrace's own lines are
    left out.

    \b
    Examples:
      python -m memtrace diff before.mtrace after.mtrace
      python -m memtrace diff before.mtrace after.mtrace --group-by traceback --limit 3
      python -m memtrace diff before.mtrace after.mtrace --html changes.html
    """
    if html is not None:
        if as_json:
            raise click.UsageError("--json and --html are two forms of a report: choose one.")
        write_page(html, new, old, selection, source=not no_source, redact=redact)
        return
    if no_source or redact:
        raise click.UsageError("--no-source and --redact are for --html.")
    from memtrace.reports.diff import DiffReport
    from memtrace.reports.output import show_report

    with working(f"Reading {new}"):
        report = DiffReport.of(selected(old, selection), selected(new, selection), selection)
    show_report(report, f"{old} to {new}", sys.stdout, as_json=as_json)
