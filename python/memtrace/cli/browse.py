"""``memtrace browse``: look around in a snapshot, in a full-screen application."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import load_snapshot, selecting_from, snapshot_path, written_at
from memtrace.cli.options import selection_options
from memtrace.cli.progress import working

if TYPE_CHECKING:
    from memtrace.interactive.browse import Opened
    from memtrace.reports.selection import Selection


@click.command(short_help="Look around in a snapshot, or in what changed between two.")
@click.argument("file", type=snapshot_path)
@click.argument("new", type=snapshot_path, required=False)
@selection_options(limit=False, json=False)
def command(file: Path, new: Path | None, selection: Selection) -> None:
    """Look around in the snapshot in FILE, or in what changed from FILE to NEW.

    A table to group, sort and filter, the tree of calls to open and close, and the sources with the memory of each
    line, with the keyboard or the mouse: ? shows the keys. Needs a terminal; `stats`, `tree`, `annotate` and
    `diff` do not.

    \b
    Examples:
      python -m memtrace browse app.mtrace
      python -m memtrace browse before.mtrace after.mtrace --group-by function
      python -m memtrace browse app.mtrace --user-code
    """
    require_terminal()
    with working(f"Reading {new or file}"):
        opened = [_opened(path, selection) for path in (file, new) if path is not None]
    from memtrace.interactive.browse import BrowseApp

    BrowseApp(opened[-1], opened[0] if len(opened) > 1 else None, selection).run()


def require_terminal() -> None:
    """Raise a usage error when there is nobody to press keys."""
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()):
        raise click.UsageError("this needs a terminal.")


def _opened(path: Path, selection: Selection) -> Opened:
    from memtrace.interactive.browse import Opened

    snapshot = load_snapshot(path)
    with selecting_from(path):
        return Opened(str(path), written_at(path), snapshot, selection.apply(snapshot))
