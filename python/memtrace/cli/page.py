"""What the commands that write a page share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import load_snapshot, write_file
from memtrace.cli.progress import working

if TYPE_CHECKING:
    from memtrace.reports.selection import Selection

no_source = click.option("--no-source", is_flag=True, help="Leave source code out of the page.")
redact = click.option(
    "--redact",
    is_flag=True,
    help="Leave out source code, the folders of files, and the names of threads and labels.",
)


def write_page(path: Path, new: Path, old: Path | None, selection: Selection, *, source: bool, redact: bool) -> None:
    """Write the page about the snapshot in *new*, or about its difference to that in *old*, and say so.

    Raises a click error of one line.
    """
    from memtrace.reports.page.data import Input, Privacy, encode
    from memtrace.reports.page.document import PageMissingError, render
    from memtrace.reports.selection import SelectionError
    from memtrace.reports.text import printable

    with working(f"Reading {new}"):
        inputs = [Input(load_snapshot(file), str(file)) for file in (old, new) if file is not None]
    with working(f"Writing {path}"):
        try:
            page = render(
                encode(inputs[-1], inputs[0] if len(inputs) > 1 else None, selection, Privacy(source, redact))
            )
        except SelectionError as error:
            names = " or ".join(each.name for each in inputs)
            raise click.ClickException(printable(f"{names} {error}")) from None
        except PageMissingError as error:
            raise click.ClickException(str(error)) from None
        write_file(path, page.encode())
    click.echo(f"Wrote {printable(str(path))}", err=True)
