"""IPython and Jupyter: ``%load_ext memtrace``, the cell magic ``%%memtrace``, and what snapshots look like there."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from html import escape
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

import memtrace
from memtrace.reports.diff import DiffReport
from memtrace.reports.html import render_html
from memtrace.reports.plain import render_plain
from memtrace.reports.selection import GROUP_KEYS, Selection
from memtrace.reports.stats import StatsReport

if TYPE_CHECKING:
    from memtrace.reports.table import Table

_USUAL_FRAMES = 25
_CELL = "memtrace_cell"
_FRAME = '<iframe title="memtrace" sandbox="allow-scripts" style="width: 100%; height: 640px; border: 0" srcdoc="{}"></iframe>'


class Shown:
    """A table, as text and as HTML, there with a page below it: what the magic displays."""

    def __init__(self, table: Table, page: str | None) -> None:
        self._table = table
        self._page = page

    def __repr__(self) -> str:
        return render_plain(self._table).rstrip("\n")

    def _repr_html_(self) -> str:
        table = render_html(self._table)
        # In a frame of its own origin, which can neither see the notebook nor change it.
        return table if self._page is None else table + _FRAME.format(escape(self._page))


def load_ipython_extension(ipython: Any) -> None:
    """Register ``%%memtrace``, and how lists of statistics are shown. Called by ``%load_ext memtrace``."""
    ipython.register_magic_function(_Magic(ipython), magic_kind="cell", magic_name="memtrace")
    ipython.display_formatter.formatters["text/html"].for_type(list, _html_of_list)


def unload_ipython_extension(ipython: Any) -> None:
    """Undo load_ipython_extension()."""
    ipython.magics_manager.magics["cell"].pop("memtrace", None)
    formatter = ipython.display_formatter.formatters["text/html"]
    if formatter.type_printers.get(list) is _html_of_list:
        formatter.pop(list)


def snapshot_table(snapshot: memtrace.Snapshot, title: str, selection: Selection = Selection()) -> Table:  # noqa: B008
    """Return the largest groups of *snapshot*."""
    return StatsReport.of(selection.apply(snapshot), selection).to_table(title)


def statistics_table(statistics: Sequence[memtrace.Statistic] | Sequence[memtrace.StatisticDiff]) -> Table:
    """Return *statistics* of one kind, which are not empty, as they are."""
    group_by = _group_by(statistics[0])
    selection = Selection(group_by, limit=len(statistics))
    size, count = sum(each.size for each in statistics), sum(each.count for each in statistics)
    if isinstance(statistics[0], memtrace.StatisticDiff):
        differences = [each for each in statistics if isinstance(each, memtrace.StatisticDiff)]
        size_diff, count_diff = (
            sum(each.size_diff for each in differences),
            sum(each.count_diff for each in differences),
        )
        report = DiffReport(selection, differences, size, size_diff, count, count_diff, 0)
        return report.to_table("memtrace")
    plain = [each for each in statistics if isinstance(each, memtrace.Statistic)]
    return StatsReport(selection, plain, size, count, 0, 0).to_table("memtrace")


def _group_by(statistic: memtrace.Statistic | memtrace.StatisticDiff) -> str:
    """Return a key that statistics like this one are shown well by: they do not say what they were grouped by."""
    if isinstance(statistic.key, str):
        return "function"
    if len(statistic.traceback) > 1:
        return "traceback"
    return "lineno" if statistic.traceback[0].lineno else "filename"


def _html_of_list(items: list[Any]) -> str | None:
    for kind in (memtrace.Statistic, memtrace.StatisticDiff):
        if items and all(type(item) is kind for item in items):
            return render_html(statistics_table(items))
    return None  # any other list is shown as it is


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(f"%%memtrace: {message}; {self.format_usage().strip()}")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="%%memtrace", add_help=False)
    parser.add_argument("-n", "--nframe", type=int, default=_USUAL_FRAMES)
    parser.add_argument("-g", "--group-by", choices=GROUP_KEYS, default="lineno")
    parser.add_argument("-l", "--limit", type=int, default=10)
    parser.add_argument("-p", "--at-peak", action="store_true")
    parser.add_argument("-t", "--table", action="store_true")
    return parser


class _Magic:
    """Run the cell and show what it has left alive, or what was alive at its peak.

    %%memtrace [-n FRAMES] [-g KEY] [-l LIMIT] [-p] [-t]

    -n  how many frames of each traceback to keep (25)
    -g  what blocks have in common that are counted together: lineno, filename, traceback, function, type, ...
    -l  how many groups to show (10)
    -p  show the moment of the peak, not that of the end
    -t  show the table alone, not the flame graph below it

    The snapshot is left in the variable memtrace_cell. Where tracing is on already it stays on, with its own number of
    frames; else it lasts as long as the cell.
    """

    def __init__(self, ipython: Any) -> None:
        self._ipython = ipython
        self.__doc__ = type(self).__doc__
        self.__name__ = "memtrace"

    def __call__(self, line: str, cell: str) -> None:
        options = _parser().parse_args(shlex.split(line))
        own = not memtrace.is_tracing()
        if own:
            memtrace.start(options.nframe)
        try:
            mark = memtrace.mark()
            with memtrace.peak() as region:
                result = self._ipython.run_cell(cell)
            snapshot = memtrace.take_snapshot(types=options.group_by == "type")
            at_peak = region.snapshot
        finally:
            if own:
                memtrace.stop()
        of_cell = snapshot.since(mark)
        of_cell.peak = at_peak.since(mark)
        self._ipython.user_ns[_CELL] = of_cell
        if result.success or of_cell.traces:
            self._show(of_cell, region.peak, options)

    def _show(self, snapshot: memtrace.Snapshot, peak: int, options: argparse.Namespace) -> None:
        from memtrace.reports import text

        selection = Selection(options.group_by, at_peak=options.at_peak, limit=options.limit)
        title = "Live at the cell's peak" if options.at_peak else "Left alive by the cell"
        table = snapshot_table(snapshot, title, selection)
        note = f"All that was traced was {text.size(peak)} at the cell's peak."
        page = None if options.table else _page(snapshot, title, selection)
        import_module("IPython.display").display(Shown(table._replace(notes=(*table.notes, note)), page))


def _page(snapshot: memtrace.Snapshot, title: str, selection: Selection) -> str | None:
    """Return the page about a cell, from its own frame on; None where memtrace was built without the page."""
    from memtrace.reports.page.data import Input, Privacy, encode
    from memtrace.reports.page.document import PageMissingError, render

    trunk = {import_module("IPython.core.interactiveshell").__file__ or ""}
    try:
        return render(encode(Input(snapshot, title), None, selection, Privacy(), trunk))
    except PageMissingError:
        return None
