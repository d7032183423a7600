"""``memtrace browse``: a snapshot, or two, as a table, a tree of calls and annotated sources."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import ContentSwitcher, DataTable, Footer, Input, Static, Tree
from textual.worker import get_current_worker

import memtrace
from memtrace.interactive.base import TABLE_HELP, TableApp
from memtrace.interactive.calltree import CallTree
from memtrace.interactive.entries import entries
from memtrace.interactive.listing import Listing
from memtrace.interactive.table import EntriesTable
from memtrace.reports import calltree, text
from memtrace.reports.annotate import AnnotateReport
from memtrace.reports.calltree import Node
from memtrace.reports.selection import Selection
from memtrace.reports.text import printable


class Opened(NamedTuple):
    """A snapshot file."""

    name: str
    written: float | None
    """When, in seconds since the epoch."""
    snapshot: memtrace.Snapshot
    selected: memtrace.Snapshot


class BrowseApp(TableApp, inherit_bindings=False):
    """One file, or what changed from one to the other."""

    HELP = f"""\
t        the table: groups, largest first, or what changed most
c        the calls, as a tree: from the outermost frame down
i        the tree from where memory was allocated up, and back
s Enter  the source of the selected line, with the memory of all
Space    open and close a call of the tree; so does a click
Escape   back to the table

{TABLE_HELP}

Arrows, Page up and down, Home, End and the mouse move.
q leaves. The tree and the sources are those of the newer file."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "view('table')", "Table"),
        Binding("c", "view('tree')", "Calls"),
        Binding("s", "source", "Source"),
        Binding("i", "invert", "Invert", show=False),
        *TableApp.BINDINGS,
    ]

    def __init__(self, new: Opened, old: Opened | None, selection: Selection) -> None:
        super().__init__(selection)
        self._new = new
        self._old = old
        self._selection = selection
        self._inverted = False
        self._has_tree = False

    def compose(self) -> ComposeResult:
        """Make the window."""
        yield Static(id="title", markup=False)
        with ContentSwitcher(initial="table", id="views"):
            yield EntriesTable("table")
            yield CallTree("tree")
            yield Listing("source")
        yield Static(id="detail", markup=False)
        yield Input(placeholder="filter", id="filter")
        yield Footer()

    def on_mount(self) -> None:
        """Fill the table."""
        super().on_mount()
        self.load_entries()
        self.update_title()

    @property
    def view(self) -> str:
        """What is shown: ``table``, ``tree`` or ``source``."""
        return self.find("#views", ContentSwitcher).current or "table"

    def load_entries(self) -> None:
        """Group the snapshot by the present key."""
        old = self._old.selected if self._old else None
        self.table.show(entries(self._new.selected, old, self.group_by, self.cumulative))

    def update_title(self) -> None:
        """Say which files these are, and what they hold."""
        shown = self.table.entries
        if shown is None:
            return
        names = f"{self._old.name} to {self._new.name}" if self._old else self._new.name
        change = f"{text.size_change(shown.size_diff)}, now " if self._old else ""
        total = f"{change}{text.size(shown.size)} in {text.blocks(shown.blocks)}"
        what = {"table": self.what_is_shown(), "source": "source"}.get(
            self.view, "callers, from the innermost up" if self._inverted else "calls, from the outermost down"
        )
        self.titled(printable(names), printable(f"{total}, {what}"))

    def action_view(self, name: str) -> None:
        """Show the table, the tree or the source."""
        if name == "tree" and not self._has_tree:
            self._load_tree(self._inverted)
        self.find("#views", ContentSwitcher).current = name
        self.screen.set_focus(self.find(f"#{name}", Widget))
        self.update_title()
        self.update_detail()

    def action_leave(self) -> None:
        """Return to the table, or end its filter."""
        if self.view != "table":
            self.action_view("table")
        else:
            super().action_leave()

    def action_filter(self) -> None:
        """Filter the table."""
        self.action_view("table")
        super().action_filter()

    def action_group(self) -> None:
        """Group the table."""
        self.action_view("table")
        super().action_group()

    def action_invert(self) -> None:
        """Turn the tree round."""
        self._inverted = not self._inverted
        self._has_tree = False
        self.action_view("tree")

    @work(thread=True, exclusive=True)
    def _load_tree(self, inverted: bool) -> None:
        self.call_from_thread(self._wait_for_tree)
        root = calltree.build(self._new.selected, inverted)
        if not get_current_worker().is_cancelled:  # the tree has been turned round meanwhile
            self.call_from_thread(self._show_tree, root)

    def _wait_for_tree(self) -> None:
        self.find("#tree", CallTree).loading = True

    def _show_tree(self, root: Node) -> None:
        tree = self.find("#tree", CallTree)
        tree.loading = False
        tree.show(root, f"everything: {text.size(root.size)} in {text.blocks(root.count)}")
        self._has_tree = True
        if self.view == "tree":
            tree.focus()

    def selected_frame(self) -> memtrace.Frame | None:
        """Return the place under the cursor."""
        if self.view == "tree":
            node = self.find("#tree", CallTree).cursor_node
            return node.data.frame if node is not None and node.data is not None else None
        entry = self.table.entry
        return entry.frame if entry else None

    def action_source(self) -> None:
        """Show the source of the selected line."""
        frame = self.selected_frame()
        if self.view == "source":
            return
        if frame is None:
            self.notify("No line is selected", severity="warning")
            return
        selection = self._selection._replace(group_by="lineno", cumulative=False)
        new = self._new
        report = AnnotateReport.of(
            new.snapshot, selection, threshold=0, context=None, written=new.written, only=frame.filename
        )
        (file,) = report.files
        listing = self.find("#source", Listing)
        listing.show(report, file, frame.lineno)
        self.action_view("source")
        self.call_after_refresh(listing.reveal)

    def update_detail(self) -> None:
        """Say where the selected row or call is."""
        if self.view == "table":
            super().update_detail()
            return
        self.detail(self.selected_frame())

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show the source."""
        self.action_source()

    def on_tree_node_highlighted(self, event: Tree.NodeHighlighted[Node]) -> None:
        """Say where the call is."""
        self.update_detail()
