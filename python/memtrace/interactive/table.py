"""A table of entries that is sorted, filtered and fitted to the window."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.widgets import DataTable

from memtrace.interactive.entries import Entries, Entry
from memtrace.reports.terminal import keep_end

_MOST_ROWS = 1000
_STYLES = {"": "", "grew": "red", "shrank": "cyan"}
_SCROLLBAR = 2
_NARROWEST = 16


class EntriesTable(DataTable[Text]):
    """Rows of which the cursor is on one; the numbers to the left, the label in what room is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", "Top", show=False),
        Binding("end", "scroll_bottom", "Bottom", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id, cursor_type="row")
        self.sort_column = 0
        self.is_reversed = False
        self.pattern = ""
        """What the labels of the rows to show contain, in any case of letters."""
        self.entries: Entries | None = None
        self.found = 0
        """Number of rows that match, of which the first thousand are shown."""
        self._shown: list[Entry] = []

    @property
    def entry(self) -> Entry | None:
        """The entry under the cursor."""
        return self._shown[self.cursor_row] if 0 <= self.cursor_row < len(self._shown) else None

    def show(self, entries: Entries) -> None:
        """Show other entries; the cursor stays on the label where it was, or at the top when it was there."""
        if self.entries is None or self.entries.headers != entries.headers:
            self.sort_column, self.is_reversed = 0, False
        self.entries = entries
        self.fill()

    def sort_by(self, column: int) -> None:
        """Sort by a column of numbers, or by the label, the last one; the other way round the second time."""
        self.is_reversed = not self.is_reversed if column == self.sort_column else False
        self.sort_column = column
        self.fill()

    def fill(self) -> None:
        """Sort, filter and fit what is shown."""
        if self.entries is None:
            return
        before = self.entry if self.cursor_row else None
        rows = self._sorted()
        self.found = len(rows)
        self._shown = rows[:_MOST_ROWS]
        self.clear(columns=True)
        headers = self.entries.headers
        widths = [
            max(len(header + self._arrow(column)), *(len(row.cells[column]) for row in self._shown), 0)
            for column, header in enumerate(headers)
        ]
        room = self.size.width - sum(width + 2 * self.cell_padding for width in widths)
        room = max(room - 2 * self.cell_padding - _SCROLLBAR, _NARROWEST)
        for column, (header, width) in enumerate(zip(headers, widths, strict=True)):
            self.add_column(Text(header + self._arrow(column), justify="right"), width=width)
        self.add_column(Text(self.entries.label_header + self._arrow(len(headers))), width=room)
        for row in self._shown:
            cells = (Text(cell, style=_STYLES[row.tone], justify="right") for cell in row.cells)
            self.add_row(*cells, Text(keep_end(row.label, room), no_wrap=True))
        self._restore(before)

    def _sorted(self) -> list[Entry]:
        assert self.entries is not None
        pattern = self.pattern.casefold()
        rows = [row for row in self.entries.rows if pattern in row.label.casefold()]
        column = self.sort_column
        if column >= len(self.entries.headers):
            return sorted(rows, key=lambda row: row.label, reverse=self.is_reversed)
        if column == 0 and not self.is_reversed:
            return rows  # a difference comes first for its amount, whatever its sign
        return sorted(rows, key=lambda row: row.numbers[column], reverse=not self.is_reversed)

    def _arrow(self, column: int) -> str:
        if column != self.sort_column:
            return ""
        assert self.entries is not None
        is_label = column == len(self.entries.headers)
        return (
            " \N{BLACK UP-POINTING TRIANGLE}" if self.is_reversed != is_label else " \N{BLACK DOWN-POINTING TRIANGLE}"
        )

    def _restore(self, before: Entry | None) -> None:
        if before is None:
            return
        for number, row in enumerate(self._shown):
            if row.label == before.label:
                self.move_cursor(row=number)
                return

    def on_resize(self, event: Resize) -> None:
        """Fit the labels to the new width."""
        self.fill()
