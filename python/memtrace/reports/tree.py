"""The report on a call tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import memtrace
from memtrace.reports import calltree, groups, text
from memtrace.reports.calltree import Chain, Node
from memtrace.reports.stats import dropped_note
from memtrace.reports.table import Row, Table

_SHOWN_OF_CHAIN = 3
_LINES = ("├─ ", "└─ ", "│  ", "   ")
_ASCII_LINES = ("|- ", "`- ", "|  ", "   ")


class TreeReport(NamedTuple):
    """A folded call tree and what it was folded by."""

    tree: Chain
    inverted: bool
    threshold: float
    depth: int
    is_cut: bool
    """Whether stacks are as long as the tracer keeps them, so that their outermost frames may be missing."""
    traceback_limit: int
    dropped: int

    @classmethod
    def of(cls, selected: memtrace.Snapshot, *, inverted: bool, threshold: float, depth: int) -> TreeReport:
        """Return the report on what was selected of a snapshot."""
        root = calltree.build(selected, inverted)
        limit = selected.traceback_limit
        return cls(
            calltree.fold(root, threshold, depth),
            inverted,
            threshold,
            depth,
            has_deep_stacks(root, limit),
            limit,
            selected.dropped,
        )

    def heading(self, title: str) -> str:
        """Return the line above the tree."""
        root = self.tree.node
        return f"{title}: {text.size(root.size)} in {text.blocks(root.count)}"

    def notes(self) -> tuple[str, ...]:
        """Return the lines below the tree."""
        cut = f"Stacks of {self.traceback_limit} frames may have lost their outermost ones: `memtrace run --nframe N`"
        return (*((cut,) if self.is_cut and not self.inverted else ()), *dropped_note(self.dropped))

    def label_header(self) -> str:
        """Return the heading of the column that holds the tree."""
        return "Allocated at, called from" if self.inverted else "Called from, down to where it was allocated"

    def to_table(self, title: str, *, ascii_lines: bool = False) -> Table:
        """Return the tree as a table that *title* introduces, with lines drawn in the column of labels."""
        lines = _ASCII_LINES if ascii_lines else _LINES
        return Table(
            (self.heading(title),),
            ("Size", "Share", "Blocks"),
            self.label_header(),
            tuple(self._rows(lines)),
            self.notes(),
        )

    def _rows(self, lines: tuple[str, str, str, str]) -> Iterator[Row]:
        fork, last, down, blank = lines
        pending: list[tuple[Item, str, bool, bool]] = [
            (item, "", is_last, True) for item, is_last in reversed(list(self.items(self.tree)))
        ]
        while pending:
            item, indent, is_last, is_top = pending.pop()
            first = "" if is_top else last if is_last else fork
            further = "" if is_top else blank if is_last else down
            yield Row(self.numbers(item), indent + first + item.labels[0])
            inner = indent + further
            below = list(self.items(item.chain)) if item.chain else []
            for label in item.labels[1:]:
                yield Row(("", "", ""), inner + (down if below else blank) + label)
            pending += [(each, inner, is_last, False) for each, is_last in reversed(below)]

    def numbers(self, item: Item) -> tuple[str, str, str]:
        """Return size, share and blocks of one item as texts."""
        return text.size(item.size), text.percentage(item.size, self.tree.node.size), text.count(item.blocks)

    def items(self, chain: Chain) -> Iterator[tuple[Item, bool]]:
        """Yield what is shown below *chain*, and whether it is the last."""
        node = chain.node
        items = [Item(labels_of(child.nodes), child.size, child.blocks, child) for child in chain.children]
        own = Item(
            ("(no further caller)" if self.inverted else "(allocated here)",), node.own_size, node.own_count, None
        )
        folded = Item((_rest(chain.folded),), chain.folded_size, chain.folded_count, None)
        # What is the same as the chain itself, or a part too small to be shown of one that has no others, says nothing.
        if chain.children:
            items += [item for item in (own, folded) if item.size or item.blocks]
        elif chain.folded and folded.size >= self.threshold * self.tree.size / 100:
            items.append(folded)
        for number, item in enumerate(items, 1):
            yield item, number == len(items)

    def to_json(self) -> dict[str, Any]:
        """Return the report as what json.dump() takes; sizes are in bytes."""
        return {
            "inverted": self.inverted,
            "threshold": self.threshold,
            "depth": self.depth,
            "traceback_limit": self.traceback_limit,
            "dropped": self.dropped,
            **_to_json(self.tree),
        }


def _rest(calls: int) -> str:
    return f"({calls:,} more {'call' if calls == 1 else 'calls'})" if calls else "(the rest)"


class Item(NamedTuple):
    """One entry of the tree as it is shown: calls, or what has been folded."""

    labels: tuple[str, ...]
    size: int
    blocks: int
    chain: Chain | None


def label_of(node: Node) -> str:
    """Return a place with the function it is in, when that is known."""
    assert node.frame is not None
    function = node.frame.function
    return f"{node.frame} {function}" if function else str(node.frame)


def labels_of(nodes: tuple[Node, ...]) -> tuple[str, ...]:
    """Return the lines for a chain: its first calls and its last one."""
    if len(nodes) <= _SHOWN_OF_CHAIN + 1:
        return tuple(map(label_of, nodes))
    between = len(nodes) - _SHOWN_OF_CHAIN
    return (*map(label_of, nodes[: _SHOWN_OF_CHAIN - 1]), f"({between:,} calls between)", label_of(nodes[-1]))


def has_deep_stacks(root: Node, limit: int) -> bool:
    """Return whether a stack has *limit* frames."""
    level = [root]
    for _ in range(limit):
        level = [child for node in level for child in node.children.values()]
        if not level:
            return False
    return True


def _to_json(chain: Chain) -> dict[str, Any]:
    node = chain.node
    return {
        "frames": [groups.frame_to_json(each.frame) for each in chain.nodes if each.frame is not None],
        "size": chain.size,
        "count": chain.blocks,
        "own_size": node.own_size,
        "own_count": node.own_count,
        "folded": {"calls": chain.folded, "size": chain.folded_size, "count": chain.folded_count},
        "children": [_to_json(child) for child in chain.children],
    }
