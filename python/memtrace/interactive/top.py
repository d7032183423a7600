"""``memtrace top``: what a running program holds now, again and again."""

from __future__ import annotations

import time
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Footer, Input, Sparkline, Static

from memtrace.interactive.base import TABLE_HELP, TableApp
from memtrace.interactive.entries import Entries, entries
from memtrace.interactive.program import Program
from memtrace.interactive.table import EntriesTable
from memtrace.interactive.watch import Watch
from memtrace.reports import text
from memtrace.reports.selection import Selection
from memtrace.reports.text import printable

_OUTPUT_LINES = 4
_LONGEST_HISTORY = 10_000


class TopApp(TableApp, inherit_bindings=False):
    """The latest snapshot of a file, and what has changed since the first."""

    CSS = f"""{TableApp.CSS}
    #history {{ height: 2; margin: 0 1; }}
    #output {{ height: {_OUTPUT_LINES + 1}; border-top: solid $primary; padding: 0 1; }}
    """
    HELP = f"""\
p        pause, and go on
z        count changes from now on

{TABLE_HELP}

Arrows, Page up and down, Home, End and the mouse move.
q leaves, and ends a program that was started here."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("p", "pause", "Pause"),
        Binding("z", "zero", "Zero"),
        *TableApp.BINDINGS,
    ]

    def __init__(self, watch: Watch, program: Program | None, selection: Selection, interval: float) -> None:
        super().__init__(selection)
        self._watch = watch
        self._program = program
        self._interval = interval
        self._paused = False
        self._is_looking = False
        self._begun = time.monotonic()
        self._ended: float | None = None
        self._history: list[float] = []

    def compose(self) -> ComposeResult:
        """Make the window."""
        yield Static(id="title", markup=False)
        yield Sparkline(id="history")
        yield EntriesTable("table")
        yield Static(id="detail", markup=False)
        if self._program is not None:
            yield Static(id="output", markup=False)
        yield Input(placeholder="filter", id="filter")
        yield Footer()

    def on_mount(self) -> None:
        """Begin to look."""
        super().on_mount()
        self.set_interval(self._interval, self._look)
        self._look()

    def _look(self) -> None:
        if not self.is_shown:
            return
        if not (self._paused or self._is_looking):
            self._is_looking = True  # it may take longer than the interval
            self._refresh_rows()
        self.update_title()
        self._update_output()

    @work(thread=True)
    def _refresh_rows(self) -> None:
        watch = self._watch
        try:
            if watch.look() and watch.latest is not None:
                rows = entries(watch.latest, watch.first, self.group_by, self.cumulative)
                self.call_from_thread(self._show, rows)
        finally:
            self._is_looking = False

    def _show(self, rows: Entries) -> None:
        if not self.is_shown:
            return
        self.table.show(rows)
        self._history = [*self._history, float(rows.size)][-_LONGEST_HISTORY:]
        self.find("#history", Sparkline).data = self._history
        self.update_title()
        self.update_detail()

    def load_entries(self) -> None:
        """Group the latest snapshot by the present key."""
        if self._watch.latest is not None:
            self.table.show(entries(self._watch.latest, self._watch.first, self.group_by, self.cumulative))

    def update_title(self) -> None:
        """Say what the program holds, how it is, and how old that is."""
        watch = self._watch
        name = self._program.name if self._program else str(watch.path)
        parts = []
        if self._program is not None:
            if self._program.status is not None and self._ended is None:
                self._ended = time.monotonic()
            parts.append(f"{self._program.state()}, {(self._ended or time.monotonic()) - self._begun:.0f} s")
        shown = self.table.entries
        if self._paused:
            parts.append("paused")
        elif watch.error and (self._program is None or watch.latest is not None):
            parts.append(watch.error)
        elif shown is None:
            parts.append("no snapshot yet")
        elif self._program is None and (age := time.monotonic() - watch.read_at) > 2 * self._interval + 1:
            parts.append(f"unchanged for {age:.0f} s")
        if shown is not None:
            change = text.size_change(shown.size_diff)
            parts += [f"{text.size(shown.size)} ({change}) in {text.blocks(shown.blocks)}", self.what_is_shown()]
        self.titled(printable(name), printable(", ".join(parts)))

    def _update_output(self) -> None:
        if self._program is not None:
            lines = map(printable, self._program.tail(_OUTPUT_LINES))
            self.find("#output", Static).update("\n".join(lines))

    def action_pause(self) -> None:
        """Leave the rows as they are, or go on."""
        self._paused = not self._paused
        self.update_title()

    def action_zero(self) -> None:
        """Compare with the present snapshot from now on."""
        self._watch.first = self._watch.latest
        self.load_entries()
        self.update_title()
