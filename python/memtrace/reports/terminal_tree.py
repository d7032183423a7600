"""A call tree on a terminal, with Rich."""

from __future__ import annotations

from typing import TextIO

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.text import Text
from rich.tree import Tree

from memtrace.reports.terminal import keep_end
from memtrace.reports.text import printable
from memtrace.reports.tree import Item, TreeReport

_HOT, _WARM = 10, 1  # percent of all


def show_tree(report: TreeReport, title: str, stream: TextIO) -> None:
    """Write the tree to the terminal behind *stream*, as wide as that is."""
    console = Console(file=stream, markup=False, emoji=False, highlight=False)
    encoding = console.encoding
    tree = Tree(Text(printable(report.heading(title), encoding), style="bold"), guide_style="dim")
    pending = [(tree, report.tree)]
    while pending:
        parent, chain = pending.pop()
        for item, _ in report.items(chain):
            branch = parent.add(_label(report, item, encoding))
            if item.chain is not None:
                pending.append((branch, item.chain))
    console.print(tree)
    for line in report.notes():
        console.print(Text(printable(line, encoding), style="dim", overflow="fold"))


class _Line:
    """Numbers and a label on one line, of which the end of the label is kept when it does not fit."""

    def __init__(self, numbers: Text, label: str, style: str) -> None:
        self._numbers = numbers
        self._label = label
        self._style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = max(options.max_width - self._numbers.cell_len, 1)
        label = Text(keep_end(self._label, room, console.encoding), style=self._style)
        yield Text.assemble(self._numbers, label, no_wrap=True, overflow="crop")


def _label(report: TreeReport, item: Item, encoding: str) -> Group:
    size, share, blocks = report.numbers(item)
    numbers = Text.assemble((f"{share} {size}", _style(report, item)), (f" {blocks} ", "dim"))
    labels = [printable(label, encoding) for label in item.labels]
    further = Text(" " * numbers.cell_len)
    return Group(
        _Line(numbers, labels[0], "" if item.chain else "dim"),
        *(_Line(further, label, "dim") for label in labels[1:]),
    )


def _style(report: TreeReport, item: Item) -> str:
    total = report.tree.node.size
    share = 100 * item.size / total if total else 0
    return "bold red" if share >= _HOT else "yellow" if share >= _WARM else ""
