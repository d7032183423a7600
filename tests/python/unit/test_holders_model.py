"""Chains through random objects, against a search in Python and against the objects themselves."""

from __future__ import annotations

import ast
import random
import sys
import types
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import memtrace


class Node(list[Any]):
    """A list that can be asked for without being held."""


@pytest.fixture
def module() -> Iterator[Any]:
    sys.modules["model"] = types.ModuleType("model")
    yield sys.modules["model"]
    del sys.modules["model"]


def distances(edges: list[list[int]], without: int) -> list[int | None]:
    """Length of the shortest way to each node from node 0, not through one of them."""
    found: list[int | None] = [None] * len(edges)
    found[0] = 0
    queue = deque([0])
    while queue:
        node = queue.popleft()
        for after in edges[node] if node != without else ():
            if found[after] is None:
                found[after] = found[node] + 1  # type: ignore[operator]
                queue.append(after)
    return found


def build(module: Any, edges: list[list[int]]) -> list[weakref.ref[Node]]:
    nodes = [Node() for _ in edges]
    for node, referents in zip(nodes, edges, strict=True):
        node.extend(nodes[referent] for referent in referents)
    module.root = nodes[0]
    return [weakref.ref(node) for node in nodes]


@pytest.mark.parametrize("seed", range(10))
def test_lengths_are_those_of_a_search(module: Any, seed: int) -> None:
    dice = random.Random(seed)
    size = dice.choice([3, 10, 60])
    edges = [[dice.randrange(size) for _ in range(dice.choice([0, 1, 1, 2, 5]))] for _ in range(size)]
    edges[0] = [dice.randrange(size) for _ in range(3)]
    references = build(module, edges)
    all_distances = distances(edges, without=-1)
    reachable = [number for number in range(1, size) if all_distances[number] is not None]
    for number in dice.sample(reachable, min(len(reachable), 8)):
        reached = distances(edges, without=number)
        expected = sorted(
            reached[holder] + 2  # type: ignore[operator]
            for holder in range(size)
            if number in edges[holder] and reached[holder] is not None and holder != number
        )
        chains = memtrace.holders(references[number](), limit=1000, max_depth=1000)
        assert [len(chain) for chain in chains] == expected
        assert {chain.root for chain in chains} == {("module", "model")}


def as_list(held: Any) -> Any:
    return [1, held]


def as_tuple(held: Any) -> Any:
    return (held, None)


def as_value(held: Any) -> Any:
    return {("k", 2): held}


def as_attribute(held: Any) -> Any:
    return types.SimpleNamespace(held=held)


class Slots:
    __slots__ = ("held", "other")


def as_slot(held: Any) -> Any:
    holder = Slots()
    holder.held = held
    return holder


class Plain:
    def __init__(self, held: Any) -> None:
        self.first, self.held = 1, held


def as_closure(held: Any) -> Any:
    return lambda: held


def as_default(held: Any) -> Any:
    def function(first: int, second: Any = held) -> None: ...

    return function


class Handler(Plain):
    def handle(self) -> None: ...


def as_method(held: Any) -> Any:
    return Handler(held).handle


def as_class(held: Any) -> Any:
    return type("Made", (), {"held": held})


def as_deque(held: Any) -> Any:
    return deque([None, held])


WAYS: list[Callable[[Any], Any]] = [as_list, as_tuple, as_value, as_attribute, as_slot, Plain]
WAYS += [as_closure, as_default, as_method, as_class, as_deque]


def follow(holder: Any, link: memtrace.Link) -> Any:
    """What the link says that the holder holds."""
    if link.kind == "attribute":
        return getattr(holder, link.name)
    if link.kind == "index":
        return holder[int(link.name)]
    if link.kind == "value of key":
        return holder[ast.literal_eval(link.name)]
    if link.kind == "closure variable":
        return holder.__closure__[holder.__code__.co_freevars.index(link.name)].cell_contents
    assert (link.kind, link.name) == ("default of argument", "second")
    return holder.__defaults__[0]


@pytest.mark.parametrize("seed", range(20))
def test_chains_lead_to_the_object(module: Any, seed: int) -> None:
    dice = random.Random(seed)
    held: Any = Node()
    reference = weakref.ref(held)
    for _ in range(dice.randrange(1, 25)):
        held = dice.choice(WAYS)(held)
    module.root = held
    del held
    (chain,) = memtrace.holders(reference())
    assert chain.root == ("module", "model")
    reached: Any = module
    for link in chain:
        reached = follow(reached, link)
        assert link.address == id(reached)
        expected = type(reached).__qualname__
        if type(reached).__module__ != "builtins":
            expected = f"{type(reached).__module__}.{expected}"
        assert link.type_name == expected
    assert reached is reference()
