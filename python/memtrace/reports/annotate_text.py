"""Annotated source files as text: plain, on a terminal, and as one listing per module."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TextIO

from memtrace.reports import text
from memtrace.reports.annotate import AnnotatedFile, AnnotateReport
from memtrace.reports.text import printable

if TYPE_CHECKING:
    from rich.console import Console

_GAP = "  "
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_HOT, _WARM = 10, 1  # percent of all
_LONGEST_NAME = 100


class MarginLine(NamedTuple):
    """A line, what is in its margin, and the largest share in percent that it has of anything."""

    margin: str
    text: str
    share: float


def render_plain(report: AnnotateReport, title: str, encoding: str = "utf-8") -> str:
    """Return the files as text that ends with a newline and is safe to print in *encoding*."""
    parts = [f"{title}: {report.summary()}"]
    for file in report.files:
        parts += ["", _heading(file), *file.notes(), *(line.margin + line.text for line in _lines(report, file))]
    if notes := report.notes():
        parts += ["", *notes]
    return "".join(printable(part, encoding).rstrip() + "\n" for part in parts)


def show_on_terminal(report: AnnotateReport, title: str, stream: TextIO) -> None:
    """Write the files to the terminal behind *stream*; lines that do not fit are cut."""
    from rich.console import Console

    console = Console(file=stream, markup=False, emoji=False, highlight=False)
    _print(console, f"{title}: {report.summary()}", "bold", fold=True)
    for file in report.files:
        console.print()
        _print(console, _heading(file), "bold", fold=True)
        for note in file.notes():
            _print(console, note, "yellow", fold=True)
        for line in _lines(report, file):
            style = "bold red" if line.share >= _HOT else "yellow" if line.share >= _WARM else ""
            _print(console, line.margin, style, line.text[: console.width])
    for note in report.notes():
        _print(console, note, "dim", fold=True)


def write_listings(report: AnnotateReport, directory: Path) -> list[Path]:
    """Write one file for each module, named after it; return their paths. Raises OSError."""
    directory.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for file in report.files:
        path = _unused(directory, _file_name(file), written)
        parts = [_heading(file), *file.notes(), *(line.margin + line.text for line in _lines(report, file))]
        path.write_text("".join(printable(part).rstrip() + "\n" for part in parts), encoding="utf-8")
        written.append(path)
    return written


def _heading(file: AnnotatedFile) -> str:
    return f"{file.filename}: {text.size(file.total.size)} in {text.blocks(file.total.blocks)}"


def _lines(report: AnnotateReport, file: AnnotatedFile) -> Iterator[MarginLine]:
    """Yield the header and the lines, with a mark where some are left out."""
    before = None
    for number, line in zip((0, *file.shown), margins(report, file), strict=True):
        if before and number > before + 1:
            yield MarginLine("...".rjust(len(line.margin) - len(_GAP)), "", 0)
        before = number
        yield line


def margins(report: AnnotateReport, file: AnnotatedFile) -> Iterator[MarginLine]:
    """Yield the header and each line to show."""
    headers = (*report.headers(), "Line")
    rows = [(*report.cells(file.by_line.get(number)), str(number) if number else "?") for number in file.shown]
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]

    def margin(cells: tuple[str, ...]) -> str:
        return "".join(cell.rjust(width) + _GAP for cell, width in zip(cells, widths, strict=True))

    yield MarginLine(margin(headers), "", 0)
    for number, cells in zip(file.shown, rows, strict=True):
        yield MarginLine(margin(cells), file.line(number), report.share(file.by_line.get(number)))


def _print(console: Console, margin: str, style: str, line: str = "", *, fold: bool = False) -> None:
    from rich.text import Text

    encoding = console.encoding
    styled = Text.assemble((printable(margin, encoding), style), printable(line, encoding))
    cut: Literal["ellipsis", "crop"] = "ellipsis" if printable(_ELLIPSIS, encoding) == _ELLIPSIS else "crop"
    console.print(styled, no_wrap=not fold, overflow="fold" if fold else cut)


def _file_name(file: AnnotatedFile) -> str:
    """Return the name of a module's listing: nothing in it leads out of a folder."""
    name = file.module or Path(file.filename).stem
    return re.sub(r"[^A-Za-z0-9_.-]|^\.", "_", name)[-_LONGEST_NAME:] or "_"


def _unused(directory: Path, name: str, written: list[Path]) -> Path:
    path, number = directory / f"{name}.cover", 1
    while path in written:
        number += 1
        path = directory / f"{name}-{number}.cover"
    return path
