"""The call tree to open and close."""

from __future__ import annotations

import re

from rich.text import Text
from textual.widgets import Tree
from textual.widgets.tree import TreeNode

from memtrace.reports import text
from memtrace.reports.calltree import Node
from memtrace.reports.text import printable
from memtrace.reports.tree import label_of

_MOST_CHILDREN = 500
_MOST_OPENED = 50  # at once
_DEEPEST = 300  # Textual draws a tree by recursion
_SHORT_PLACE = re.compile(r"^.*/(?=[^/]+/[^/]+$)", re.DOTALL)  # a file and its folder tell most files apart
_HOT, _WARM = 10, 1  # percent of all


class CallTree(Tree[Node]):
    """Calls with what they hold; the calls below one are looked for when it is opened."""

    def __init__(self, id: str) -> None:
        super().__init__("", id=id)
        self._whole = 0
        self.guide_depth = 3

    def show(self, root: Node, title: str) -> None:
        """Show the tree below *root*."""
        self._whole = root.size
        self.reset(Text(title, style="bold"), root)
        self._fill(self.root)
        self.root.expand()

    def on_tree_node_expanded(self, event: Tree.NodeExpanded[Node]) -> None:
        """Fill a node that is opened for the first time; where there is one way only, go on."""
        self._fill(event.node)

    def _fill(self, branch: TreeNode[Node]) -> None:
        node = branch.data
        depth = _depth(branch)
        opened = 0
        while node is not None and not branch.children and depth < _DEEPEST:
            children = node.sorted_children()
            opened += 1
            depth += 1
            is_only = len(children) == 1 and opened < _MOST_OPENED
            for child in children[:_MOST_CHILDREN]:
                can_open = bool(child.children) and depth < _DEEPEST
                branch.add(self._label(child, can_open), child, expand=is_only and can_open, allow_expand=can_open)
            if len(children) > _MOST_CHILDREN:
                branch.add_leaf(Text(f"({len(children) - _MOST_CHILDREN:,} more calls)", style="dim"))
            if not is_only:
                return
            (branch,) = branch.children
            node = branch.data

    def _label(self, node: Node, can_open: bool) -> Text:
        share = 100 * node.size / self._whole if self._whole else 0
        style = "bold red" if share >= _HOT else "yellow" if share >= _WARM else ""
        numbers = f"{text.percentage(node.size, self._whole):>6} {text.size(node.size):>9}"
        place = _SHORT_PLACE.sub("", label_of(node))
        indent = "" if can_open else "  "  # for the sign that Textual puts before what can be opened
        return Text.assemble(indent, (numbers, style), (f" {text.count(node.count):>7}  ", "dim"), printable(place))


def _depth(branch: TreeNode[Node]) -> int:
    depth, parent = 0, branch.parent
    while parent is not None:
        depth, parent = depth + 1, parent.parent
    return depth
