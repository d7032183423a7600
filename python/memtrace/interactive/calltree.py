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
        while node is not None and not branch.children:
            children = node.sorted_children()
            is_only = len(children) == 1
            for child in children[:_MOST_CHILDREN]:
                branch.add(self._label(child), child, expand=is_only, allow_expand=bool(child.children))
            if len(children) > _MOST_CHILDREN:
                branch.add_leaf(Text(f"({len(children) - _MOST_CHILDREN:,} more calls)", style="dim"))
            if not is_only:
                return
            (branch,) = branch.children
            node = branch.data

    def _label(self, node: Node) -> Text:
        share = 100 * node.size / self._whole if self._whole else 0
        style = "bold red" if share >= _HOT else "yellow" if share >= _WARM else ""
        numbers = f"{text.percentage(node.size, self._whole):>6} {text.size(node.size):>9}"
        place = _SHORT_PLACE.sub("", label_of(node))
        return Text.assemble((numbers, style), (f" {text.count(node.count):>7}  ", "dim"), printable(place))
