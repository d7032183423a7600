"""A table on a terminal, with Rich."""

from __future__ import annotations

from typing import TextIO

import rich.box
import rich.table
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.text import Text

from memtrace.reports.table import Detail, Row, Table
from memtrace.reports.text import printable

_TONE_STYLES = {"": "", "grew": "red", "shrank": "blue"}
_MIN_PLACE_WIDTH = 16
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


def show_on_terminal(table: Table, stream: TextIO) -> None:
    """Write *table* to the terminal behind *stream*, as wide as that is."""
    # Every text is a Text and not a str: Rich would read markup, emoji codes and links into a str.
    console = Console(file=stream, markup=False, emoji=False, highlight=False)
    encoding = console.encoding
    for line in table.heading:
        console.print(Text(printable(line, encoding), style="bold", overflow="fold"))
    if table.rows:
        console.print(_rich_table(table, encoding))
    for line in table.notes:
        console.print(Text(printable(line, encoding), style="dim", overflow="fold"))


def keep_end(text: str, room: int, encoding: str = "utf-8") -> str:
    """Return *text* cut to *room* cells, without its beginning when it does not fit."""
    if cell_len(text) > room:
        ellipsis = _ELLIPSIS if printable(_ELLIPSIS, encoding) == _ELLIPSIS else "..."
        text = text[-room:]  # a name of a megabyte would take the loop for ever
        while text and cell_len(text) > room - len(ellipsis):
            text = text[1:]
        text = ellipsis + text
    return text


class _Place:
    """A name on one line, of which the end is kept when it does not fit: ``...json/decoder.py:360``."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(keep_end(self._text, options.max_width, console.encoding), no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        width = cell_len(self._text)
        return Measurement(min(width, _MIN_PLACE_WIDTH), width)


def _rich_table(table: Table, encoding: str) -> rich.table.Table:
    grid = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for header in table.number_headers:
        grid.add_column(header, justify="right", no_wrap=True)
    grid.add_column(table.label_header)
    for row in table.rows:
        numbers = (Text(number, style=_TONE_STYLES[row.tone]) for number in row.numbers)
        grid.add_row(*numbers, _label(row, encoding))
    return grid


def _label(row: Row, encoding: str) -> Group:
    details = (_detail(detail, encoding) for detail in row.details)
    return Group(_Place(printable(row.label, encoding)), *details)


def _detail(detail: Detail, encoding: str) -> Padding:
    text = printable(detail.text, encoding)
    if detail.is_place:
        return Padding(_Place(text), (0, 0, 0, 2))
    return Padding(Text(text, style="dim", no_wrap=True, overflow="ellipsis"), (0, 0, 0, 4))
