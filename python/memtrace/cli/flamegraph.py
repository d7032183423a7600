"""``memtrace flamegraph``: a page to look at a snapshot in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import output_path, snapshot_path
from memtrace.cli.options import selection_options
from memtrace.cli.page import no_source, redact, write_page

if TYPE_CHECKING:
    from memtrace.reports.selection import Selection


@click.command(short_help="Write a page with a flame graph of a snapshot.")
@click.argument("file", type=snapshot_path)
@click.option("-o", "--output", type=output_path, metavar="HTML", help="Write the page to HTML.  [default: FILE.html]")
@no_source
@redact
@selection_options(groups=False, limit=False, json=False)
def command(file: Path, output: Path | None, no_source: bool, redact: bool, selection: Selection) -> None:
    """Write one page about the snapshot in FILE, for any browser: flame graph, table, timeline and source.

    It needs no network. FILE was written by `memtrace run`, Snapshot.dump() or tracemalloc. memtrace's own
    lines are left out.

    \b
    Examples:
      python -m memtrace flamegraph app.mtrace
      python -m memtrace flamegraph app.mtrace -o report.html --redact
    """
    path = output or file.with_name(f"{file.name}.html")
    write_page(path, file, None, selection, source=not no_source, redact=redact)
