"""``memtrace tree``: the calls that led to the memory of a snapshot."""

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


@click.command(short_help="Show the tree of calls that led to the memory of a snapshot.")
@click.argument("file", type=snapshot_path)
@click.option("-i", "--inverted", is_flag=True, help="Begin where memory was allocated and go up to the callers.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    metavar="PERCENT",
    help="Fold what holds less than PERCENT of all.",
)
@click.option(
    "--depth",
    type=click.IntRange(1, 100),
    default=100,
    show_default=True,
    metavar="N",
    help="Fold what is more than N levels deep; calls with nothing beside them are one level.",
)
@selection_options(groups=False, limit=False)
def command(file: Path, inverted: bool, threshold: float, depth: int, selection: Selection, as_json: bool) -> None:
    """Show the calls that led to the memory of the snapshot in FILE, from the outermost frame down.

    Each line is a call with the bytes, the share and the number of blocks of all that was allocated in it and in
    what it called. `memtrace browse` has the same tree to open and close.

    \b
    Examples:
      python -m memtrace tree app.mtrace
      python -m memtrace tree app.mtrace --inverted --depth 3
      python -m memtrace tree app.mtrace --user-code --threshold 5
    """
    from memtrace.reports.output import is_rich, show_table, write_json
    from memtrace.reports.text import printable
    from memtrace.reports.tree import TreeReport

    with working(f"Reading {file}"):
        snapshot = selected(file, selection)
        report = TreeReport.of(snapshot, inverted=inverted, threshold=threshold, depth=depth)
    stream = sys.stdout
    if as_json:
        write_json(report.to_json(), stream)
    elif is_rich(stream):
        from memtrace.reports.terminal_tree import show_tree

        show_tree(report, str(file), stream)
    else:
        lines = "\N{BOX DRAWINGS LIGHT VERTICAL}"
        show_table(report.to_table(str(file), ascii_lines=printable(lines, stream.encoding) != lines), stream)
