"""What the commands that write a page share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from memtrace.reports.page.data import Input, Privacy
    from memtrace.reports.selection import Selection

page_path = click.Path(dir_okay=False, writable=True, path_type=Path)

no_source = click.option("--no-source", is_flag=True, help="Leave source code out of the page.")
redact = click.option(
    "--redact",
    is_flag=True,
    help="Leave out source code, the folders of files, and the names of threads and labels.",
)


def read(path: Path) -> Input:
    """Return the snapshot in a file. Raises as load_snapshot() does."""
    from memtrace.cli.files import load_snapshot
    from memtrace.reports.page.data import Input

    return Input(load_snapshot(path), str(path))


def write_page(path: Path, new: Input, old: Input | None, selection: Selection, privacy: Privacy) -> None:
    """Write the page about *new*, or about its difference to *old*. Raises a click error of one line."""
    from memtrace.reports.page.data import encode
    from memtrace.reports.page.document import PageMissingError, render, write
    from memtrace.reports.selection import SelectionError
    from memtrace.reports.text import printable

    try:
        write(path, render(encode(new, old, selection, privacy)))
    except SelectionError as error:
        raise click.ClickException(
            printable(f"{new.name if old is None else f'{old.name} or {new.name}'} {error}")
        ) from None
    except PageMissingError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(printable(f"{path}: {error.strerror or error}")) from None
