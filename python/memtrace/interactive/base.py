"""What both applications have: a title, a table, a line about its selected row, a filter and the keys for them."""

from __future__ import annotations

import asyncio
import signal
from abc import abstractmethod
from typing import ClassVar, TypeVar

from rich.cells import cell_len
from textual.app import App
from textual.binding import Binding, BindingType
from textual.events import Key, Resize
from textual.widget import Widget
from textual.widgets import DataTable, Input, Static

from memtrace import Frame
from memtrace.interactive.dialogs import Choice, Help
from memtrace.interactive.table import EntriesTable
from memtrace.reports.selection import CUMULATIVE_KEYS, GROUP_KEYS, Selection
from memtrace.reports.source import source_line
from memtrace.reports.terminal import keep_end
from memtrace.reports.text import printable

_W = TypeVar("_W", bound=Widget)
_PADDING = 4
_SHORTEST_NAME = 16

TABLE_HELP = """\
g        group by another key
u        count blocks for all their callers, or no more
o        sort by the next column; so does a click on a heading
r        sort the other way round
/        show the rows that contain what you type; Escape ends it"""


class TableApp(App[None], inherit_bindings=False):
    """An application around one table; what is in it is up to load_entries()."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #title { height: 1; text-style: bold; background: $primary-background; padding: 0 1; }
    #detail { height: 1; color: $text-muted; padding: 0 1; }
    #filter { display: none; height: 1; border: none; padding: 0 1; }
    #views, #table, #tree, #source { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "group", "Group"),
        Binding("o", "order", "Sort"),
        Binding("r", "reverse", "Reverse", show=False),
        Binding("u", "cumulative", "Callers", show=False),
        Binding("slash", "filter", "Filter"),
        Binding("escape", "leave", "Back", show=False),
        Binding("question_mark", "help", "Help"),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+q,ctrl+c", "quit", "Quit", show=False),
    ]
    HELP = TABLE_HELP

    def __init__(self, selection: Selection) -> None:
        super().__init__()
        self.group_by = selection.group_by
        self.cumulative = selection.cumulative

    def on_mount(self) -> None:
        """Begin in the table; leave the terminal as it was also when told to end."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit)
        self.table.focus()

    def find(self, selector: str, kind: type[_W]) -> _W:
        """Return a widget of the application, also while a dialog is above it."""
        return self.screen_stack[0].query_one(selector, kind)

    @property
    def is_shown(self) -> bool:
        """Whether there is a window: not any more when the application is about to end."""
        return bool(self.screen_stack and self.screen_stack[0].query("#table"))

    @property
    def table(self) -> EntriesTable:
        """The table."""
        return self.find("#table", EntriesTable)

    @abstractmethod
    def load_entries(self) -> None:
        """Put the groups of the present key into the table. Raises ValueError when there are none of that kind."""

    @abstractmethod
    def update_title(self) -> None:
        """Say what is shown."""

    def titled(self, name: str, text: str) -> None:
        """Show a name, of which the end is kept, and *text* as the title; both are printable."""
        self.find("#title", Static).update(f"{self._shortened(name, text)}: {text}")

    def on_resize(self, event: Resize) -> None:
        """Fit the title to the new width."""
        if self.is_shown:
            self.update_title()
            self.update_detail()

    def update_detail(self) -> None:
        """Say where the selected row is."""
        entry = self.table.entry
        self.detail(entry.frame if entry else None)

    def detail(self, frame: Frame | None) -> None:
        """Show a place, of which the end is kept, and its source line."""
        place, line = (
            (printable(str(frame)), printable(source_line(frame.filename, frame.lineno))) if frame else ("", "")
        )
        self.find("#detail", Static).update(f"{self._shortened(place, line)}  {line}")

    def _shortened(self, name: str, text: str) -> str:
        """Return the end of *name* for which there is room beside *text*."""
        room = self.size.width - cell_len(text) - _PADDING
        return keep_end(name, max(room, _SHORTEST_NAME))

    def regroup(self, group_by: str, cumulative: bool) -> None:
        """Group by another key, if the snapshot has it."""
        before = self.group_by, self.cumulative
        self.group_by, self.cumulative = group_by, cumulative and group_by in CUMULATIVE_KEYS
        try:
            self.load_entries()
        except ValueError as error:
            self.group_by, self.cumulative = before
            self.notify(str(error), severity="warning", markup=False)
        self.update_title()
        self.update_detail()

    def action_group(self) -> None:
        """Ask for the key to group by."""

        def chosen(word: str | None) -> None:
            if word is not None:
                self.regroup(word, self.cumulative)

        self.push_screen(Choice("Group by", GROUP_KEYS, self.group_by), chosen)

    def action_cumulative(self) -> None:
        """Count blocks for all callers, or no more."""
        if self.group_by not in CUMULATIVE_KEYS:
            self.notify(f"Not by {self.group_by}: by {', '.join(CUMULATIVE_KEYS)}", severity="warning")
            return
        self.regroup(self.group_by, not self.cumulative)

    def action_order(self) -> None:
        """Sort by the next column."""
        table = self.table
        if table.entries is not None:
            table.sort_by((table.sort_column + 1) % (len(table.entries.headers) + 1))

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self.table.sort_by(self.table.sort_column)

    def action_filter(self) -> None:
        """Let a filter be typed."""
        entry = self.find("#filter", Input)
        entry.display = True
        self.screen.set_focus(entry)  # at once: what is typed next is meant for it

    def action_leave(self) -> None:
        """End the filter."""
        entry = self.find("#filter", Input)
        entry.value = ""
        entry.display = False
        self.table.focus()

    def action_help(self) -> None:
        """Show what the keys do."""
        self.push_screen(Help(self.HELP))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        self.table.pattern = event.value
        self.table.fill()
        self.update_title()
        self.update_detail()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the rows."""
        self.find("#filter", Input).display = bool(event.value)
        self.table.focus()

    def on_key(self, event: Key) -> None:
        """Go to the rows from the filter, too."""
        if event.key == "down" and isinstance(self.focused, Input):
            self.table.focus()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Say where the row is."""
        if self.is_shown:
            self.update_detail()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """Sort by the column whose heading was clicked."""
        self.table.sort_by(event.column_index)

    def what_is_shown(self) -> str:
        """Return how the rows were made, for the title."""
        cumulative = ", with callees" if self.cumulative else ""
        found = f", {self.table.found:,} match {self.table.pattern!r}" if self.table.pattern else ""
        return f"by {self.group_by}{cumulative}{found}"
