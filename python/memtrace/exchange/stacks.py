"""What the formats of flame graphs share: live memory by stack alone, whatever its domain, thread or label."""

from __future__ import annotations

from typing import NamedTuple

from memtrace.exchange.records import Place, Record, Records


class Live(NamedTuple):
    """What is live of a stack."""

    size: int
    """In bytes."""
    blocks: int
    """Number of them."""


def by_stack(records: Records) -> dict[tuple[Place, ...], Live]:
    """Return what is live by stack, oldest frame first: one for each file, line and function."""
    sums: dict[tuple[Place, ...], Live] = {}
    plain = PlainStacks()
    for record in records.records:
        if record.blocks == 0 and record.size == 0:
            continue
        stack = plain.of(record)
        size, blocks = sums.get(stack, (0, 0))
        sums[stack] = Live(size + record.size, blocks + record.blocks)
    return sums


class PlainStacks:
    """The stacks of records that live as long, with what frames differ in besides file, line and function left out."""

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}  # by id() of a record's place

    def of(self, record: Record) -> tuple[Place, ...]:
        """Return the frames of *record*, oldest first."""
        return tuple([self._places.get(id(place)) or self._made(place) for place in record.frames])

    def _made(self, place: Place) -> Place:
        made = self._places[id(place)] = Place(place.filename, place.lineno, place.function)
        return made


class Node:
    """A frame called from the frames above it: what was allocated in it itself, and what it called."""

    __slots__ = ("blocks", "children", "place", "size")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.size = 0
        self.blocks = 0
        self.children: dict[Place, Node] = {}


def as_tree(records: Records, root: str) -> Node:
    """Return all stacks as a tree, under a frame that is called *root*."""
    tree = Node(Place("", 0, root))
    for stack, (size, blocks) in by_stack(records).items():
        node = tree
        for place in stack:
            child = node.children.get(place)
            if child is None:
                child = node.children[place] = Node(place)
            node = child
        node.size += size
        node.blocks += blocks
    return tree
