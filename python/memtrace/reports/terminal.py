"""A table on a terminal, with Rich."""

from __future__ import annotations

from typing import TextIO

import rich.box
import rich.table
from rich.console import Console, Group
from rich.text import Text

from memtrace.reports.table import Row, Table
from memtrace.reports.text import printable

_TONE_STYLES = {"": "", "grew": "red", "shrank": "blue"}


def show_on_terminal(table: Table, stream: TextIO) -> None:
    """Write *table* to the terminal behind *stream*, as wide as that is."""
    # Every text is a Text and not a str: Rich would read markup, emoji codes and links into a str.
    console = Console(file=stream, markup=False, emoji=False, highlight=False)
    encoding = console.encoding
    for line in table.heading:
        console.print(Text(printable(line, encoding), style="bold"))
    if table.rows:
        console.print(_rich_table(table, encoding))
    for line in table.notes:
        console.print(Text(printable(line, encoding), style="dim"))


def _rich_table(table: Table, encoding: str) -> rich.table.Table:
    grid = rich.table.Table(box=rich.box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for header in table.number_headers:
        grid.add_column(header, justify="right", no_wrap=True)
    grid.add_column(table.label_header, overflow="fold")
    for row in table.rows:
        numbers = (Text(number, style=_TONE_STYLES[row.tone]) for number in row.numbers)
        grid.add_row(*numbers, _label(row, encoding))
    return grid


def _label(row: Row, encoding: str) -> Group:
    details = (
        Text(f"  {printable(detail, encoding)}", style="dim", no_wrap=True, overflow="ellipsis")
        for detail in row.details
    )
    return Group(Text(printable(row.label, encoding), overflow="fold"), *details)
