"""Snapshot files as arguments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import memtrace
    from memtrace.reports.selection import Selection

snapshot_path = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)


def load_snapshot(path: Path) -> memtrace.Snapshot:
    """Return the snapshot in a file of memtrace or tracemalloc.

    Raises a click error of one line that names the file.
    """
    import memtrace
    from memtrace.reports.text import printable

    try:
        return memtrace.Snapshot.load(path)
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError as error:
        reason = str(error)
    message = reason if str(path) in reason else f"{path}: {reason}"
    raise click.ClickException(printable(message))


def selected(path: Path, selection: Selection) -> memtrace.Snapshot:
    """Return what is selected of the snapshot in a file. Raises as load_snapshot() does."""
    with selecting_from(path):
        return selection.apply(load_snapshot(path))


@contextmanager
def selecting_from(path: Path) -> Iterator[None]:
    """Turn the SelectionError of the block into a click error that names the file."""
    from memtrace.reports.selection import SelectionError
    from memtrace.reports.text import printable

    try:
        yield
    except SelectionError as error:
        raise click.ClickException(printable(f"{path} {error}")) from None


def written_at(path: Path) -> float | None:
    """Return when a file was written, in seconds since the epoch; None when it is gone."""
    try:
        return path.stat().st_mtime
    except OSError:
        return None
