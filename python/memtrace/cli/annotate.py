"""``memtrace annotate``: source files with the memory of each line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from memtrace.cli.files import load_snapshot, output_path, selecting_from, snapshot_path, write_file, written_at
from memtrace.cli.options import selection_options
from memtrace.cli.progress import working

if TYPE_CHECKING:
    from memtrace.reports.annotate import AnnotateReport
    from memtrace.reports.selection import Selection

_CONTEXT = 3


@click.command(short_help="Show source files with the memory of each line.")
@click.argument("file", type=snapshot_path)
@click.option("-c", "--cumulative", is_flag=True, help="Count a block for every line that was being run.")
@click.option(
    "--context",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Show N lines around each that matters.  [default: {_CONTEXT}; whole files with --html and --directory]",
)
@click.option("--whole", is_flag=True, help="Show whole files.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 100),
    default=1.0,
    show_default=True,
    metavar="PERCENT",
    help="Leave out files and lines with less than PERCENT of all.",
)
@click.option("--html", type=output_path, metavar="FILE", help="Write a page of HTML to FILE.")
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a listing for each module to DIR, MODULE.cover.",
)
@selection_options(groups=False, limit=False)
def command(
    file: Path,
    context: int | None,
    whole: bool,
    threshold: float,
    html: Path | None,
    directory: Path | None,
    selection: Selection,
    as_json: bool,
) -> None:
    """Show the source files of the program whose snapshot is in FILE, with the memory of each line.

    In the margin are the bytes and the blocks that are live, the bytes that were live at the peak, and those
    allocated since tracing began, whatever became of them, as far as FILE has them. Sources are read where the
    snapshot says that they are; what is missing or newer than FILE is said.

    \b
    Examples:
      python -m memtrace annotate app.mtrace
      python -m memtrace annotate app.mtrace --filter '*/app/*' --whole
      python -m memtrace annotate app.mtrace --html app.html --directory listings
    """
    if whole and context is not None:
        raise click.UsageError("--whole and --context cannot be used together.")
    written = html is not None or directory is not None
    if context is None and not whole and not written:
        context = _CONTEXT
    with working(f"Reading {file}"):
        report = _report(file, selection, threshold, context)
    try:
        if html is not None:
            from memtrace.reports.annotate_html import render_html

            write_file(html, render_html(report, str(file)).encode())
        if directory is not None:
            from memtrace.reports.annotate_text import write_listings

            with working(f"Writing {directory}"):
                number = len(write_listings(report, directory))
            _say(f"{number:,} {'listing' if number == 1 else 'listings'} in {directory}")
    except OSError as error:
        from memtrace.reports.text import printable

        raise click.ClickException(printable(f"{error.filename or directory}: {error.strerror}")) from None
    if as_json or not written:
        _show(report, file, as_json)


def _report(file: Path, selection: Selection, threshold: float, context: int | None) -> AnnotateReport:
    from memtrace.reports.annotate import AnnotateReport

    snapshot = load_snapshot(file)
    with selecting_from(file):
        return AnnotateReport.of(snapshot, selection, threshold=threshold, context=context, written=written_at(file))


def _show(report: AnnotateReport, file: Path, as_json: bool) -> None:
    from memtrace.reports.annotate_text import render_plain, show_on_terminal
    from memtrace.reports.output import is_rich, write_json

    stream = sys.stdout
    if as_json:
        write_json(report.to_json(), stream)
    elif is_rich(stream):
        show_on_terminal(report, str(file), stream)
    else:
        stream.write(render_plain(report, str(file), stream.encoding or "utf-8"))


def _say(message: str) -> None:
    from memtrace.reports.text import printable

    click.echo(printable(message), err=True)
