"""Files as arguments: snapshots that are read, and what is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

import click

if TYPE_CHECKING:
    import memtrace
    from memtrace.reports.selection import Selection

snapshot_path = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)
output_path = click.Path(dir_okay=False, path_type=Path)

_MAGIC = b"\x89MEMTRC\n"


class SnapshotFile(NamedTuple):
    """A snapshot, and what kind of file it was in."""

    snapshot: memtrace.Snapshot
    format: str
    """``memtrace``, ``tracemalloc`` or ``pprof``."""
    version: int | None
    """Of memtrace's own format."""


def load_file(path: Path) -> SnapshotFile:
    """Return what is in a file of memtrace or tracemalloc, or in a pprof profile of live memory.

    Raises a click error of one line that names the file.
    """
    import memtrace

    try:
        data = path.read_bytes()  # once, for it may be a pipe
        if data[:1] not in (b"\x1f", b"\n"):  # as a profile of pprof begins, compressed or not
            snapshot = memtrace.Snapshot._from_bytes(data)
            is_own = data.startswith(_MAGIC)
            version = int.from_bytes(data[len(_MAGIC) :][:2], "little") if is_own else None
            return SnapshotFile(snapshot, "memtrace" if is_own else "tracemalloc", version)
        from memtrace.exchange import pprof_reader
        from memtrace.exchange.formats import MissingLibraryError

        try:
            return SnapshotFile(pprof_reader.read(data), "pprof", None)
        except MissingLibraryError as error:
            _fail(path, f"a profile of pprof {error}")
    except OSError as error:
        _fail(path, error.strerror or str(error))
    except ValueError as error:
        _fail(path, str(error))


def load_snapshot(path: Path) -> memtrace.Snapshot:
    """Return the snapshot in a file. Raises as load_file() does."""
    return load_file(path).snapshot


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


def write_file(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all; what is there and no regular file is written into.

    Raises a click error of one line that names the file.
    """
    try:
        if path.exists() and not path.is_file():  # a pipe, or /dev/stdout
            path.write_bytes(data)
        else:
            _replace_file(path.resolve(), data)  # what a link leads to, not the link
    except OSError as error:
        _fail(path, f"cannot be written: {error.strerror or error}")


def _replace_file(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name[:200]}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o7777)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def dump_snapshot(snapshot: memtrace.Snapshot, path: Path) -> None:
    """Write a snapshot file. Raises a click error of one line that names the file."""
    try:
        snapshot.dump(path)
    except OSError as error:
        _fail(path, f"cannot be written: {error.strerror or error}")


def _fail(path: Path, reason: str) -> NoReturn:
    from memtrace.reports.text import printable

    raise click.ClickException(printable(reason if str(path) in reason else f"{path}: {reason}")) from None
