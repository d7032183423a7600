"""The call tree of a snapshot: who called whom, and what each call holds.

A node is a place in a call stack and stands for all blocks whose stacks lead there. From the outermost frame down,
or, inverted, from the allocating frame up to its callers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import memtrace


class Node:
    """A frame with the memory of all stacks that go through it on the same way; *children* by frame."""

    __slots__ = ("children", "count", "frame", "own_count", "own_size", "size")

    def __init__(self, frame: memtrace.Frame | None) -> None:
        """*frame* is None for the root, which stands for everything."""
        self.frame = frame
        self.size = 0
        self.count = 0
        self.own_size = 0
        """Bytes of the stacks that end here: allocated here or, inverted, with no caller."""
        self.own_count = 0
        self.children: dict[tuple[str, int], Node] = {}

    def sorted_children(self) -> list[Node]:
        """Return the children, the largest first."""
        return sorted(self.children.values(), key=lambda node: (-node.size, -node.count, _place(node)))


class Chain(NamedTuple):
    """A node as it is shown: together with those below it, as long as each leads to one and all but all goes there."""

    nodes: tuple[Node, ...]
    children: tuple[Chain, ...]
    folded: int
    """Number of nodes right below one of *nodes* that are not shown: too small or too deep."""

    @property
    def size(self) -> int:
        """Bytes of the first node, and so of all of the chain."""
        return self.nodes[0].size

    @property
    def blocks(self) -> int:
        """Blocks of the first node."""
        return self.nodes[0].count

    @property
    def node(self) -> Node:
        """The last of the chain, which has the children."""
        return self.nodes[-1]

    @property
    def folded_size(self) -> int:
        """Bytes of all that is not shown."""
        return self.size - self.node.own_size - sum(child.size for child in self.children)

    @property
    def folded_count(self) -> int:
        """Blocks of all that is not shown."""
        return self.blocks - self.node.own_count - sum(child.blocks for child in self.children)


def build(snapshot: memtrace.Snapshot, inverted: bool = False) -> Node:
    """Return the root of the tree over all stacks of *snapshot*."""
    root = Node(None)
    for statistic in snapshot.statistics("traceback"):
        size, count, traceback = statistic.size, statistic.count, statistic.traceback
        places = traceback._frames
        node = root
        node.size += size
        node.count += count
        for index in range(len(places) - 1, -1, -1) if inverted else range(len(places)):
            child = node.children.get(places[index])
            if child is None:
                child = node.children[places[index]] = Node(traceback[index])
            child.size += size
            child.count += count
            node = child
        node.own_size += size
        node.own_count += count
    return root


def fold(root: Node, threshold: float, depth: int) -> Chain:
    """Return the tree without the nodes below *threshold* percent of all, and at most *depth* levels under the root.

    A node is one level with the one below it when that is the only one to be shown, and what else there is, is less
    than the threshold, too.
    """
    smallest = root.size * threshold / 100
    # Level by level and back, without recursion: stacks may be as deep as the tracer keeps them.
    levels: list[list[tuple[Node, ...]]] = [[(root,)]]
    while len(levels) <= depth:
        below = [_chain(child, smallest) for nodes in levels[-1] for child in _kept(nodes[-1], smallest)]
        if not below:
            break
        levels.append(below)
    shown: list[Chain] = []
    for number, level in reversed(list(enumerate(levels))):
        rest = iter(shown)
        shown = [_shown(nodes, rest, len(_kept(nodes[-1], smallest)) if number < depth else 0) for nodes in level]
    return shown[0]


def _kept(node: Node, smallest: float) -> list[Node]:
    return [child for child in node.sorted_children() if child.size >= smallest]


def _chain(node: Node, smallest: float) -> tuple[Node, ...]:
    nodes = [node]
    while len(kept := _kept(node, smallest)) == 1:
        (child,) = kept
        rest = node.size - child.size
        if rest >= smallest and (rest or node.count != child.count):
            break
        nodes.append(child)
        node = child
    return tuple(nodes)


def _shown(nodes: tuple[Node, ...], below: Iterator[Chain], number: int) -> Chain:
    children = tuple(next(below) for _ in range(number))
    return Chain(nodes, children, sum(len(node.children) for node in nodes) - (len(nodes) - 1) - number)


def _place(node: Node) -> tuple[str, int]:
    return ("", 0) if node.frame is None else (node.frame.filename, node.frame.lineno)
