"""Five workloads that each stress one thing a tracer does, run at call depth 20.

Every workload takes a scale (1.0 is the full size) and returns something that depends on all
of its work.
"""

import argparse
import ast
import inspect
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

Result = TypeVar("Result")

CALL_DEPTH: Final = 20

CHURN_ROUNDS: Final = 400_000
HOLD_ITEMS: Final = 500_000
HOLD_BLOCKS_PER_ITEM: Final = 6
JSON_OBJECTS: Final = 4_000
BINTREE_DEPTH: Final = 16
BINTREE_ROUNDS: Final = 4


def at_depth(depth: int, workload: Callable[[], Result]) -> Result:
    """Call *workload* below *depth* extra frames."""
    return workload() if depth == 0 else at_depth(depth - 1, workload)


def churn(scale: float) -> list[object]:
    """Allocate and free at once: about six short-lived blocks a round."""
    short_lived: list[object] = []
    for i in range(int(CHURN_ROUNDS * scale)):
        short_lived = [i * 1_000_003, str(i), (i, i + 1)]
    return short_lived


def hold(scale: float) -> list[tuple[int, str, list[int]]]:
    """Keep everything: `HOLD_BLOCKS_PER_ITEM` live blocks an item."""
    return [(i * 1_000_003, f"k{i}", [i]) for i in range(int(HOLD_ITEMS * scale))]


def tree(scale: float) -> list[int]:
    """Parse and compile three large modules: big syntax trees built by C code."""
    modules = (argparse, inspect, ast)[: max(1, round(3 * scale))]
    sizes = []
    for module in modules:
        source = Path(module.__file__ or "").read_text(encoding="utf-8")
        parsed = ast.parse(source)
        code = compile(source, module.__name__, "exec")
        sizes.append(len(parsed.body) + len(code.co_consts))
    return sizes


def jsn(scale: float) -> dict[str, dict[str, list[object]]]:
    """Serialise and parse a dictionary of mixed values six times."""
    data: dict[str, dict[str, list[object]]] = {
        f"a{i}": {"x": [i, i + 0.5, str(i)] * 5} for i in range(int(JSON_OBJECTS * scale))
    }
    for _ in range(6):
        data = json.loads(json.dumps(data))
    return data


class TreeNode:
    """A node of a binary tree."""

    __slots__ = ("left", "right", "weight")

    def __init__(self, left: "TreeNode | None", right: "TreeNode | None", weight: float) -> None:
        """Keep the two subtrees and a number."""
        self.left = left
        self.right = right
        self.weight = weight


def build_tree(depth: int) -> TreeNode:
    """Build a complete tree recursively: every node is allocated on a call path of its own."""
    if depth == 0:
        return TreeNode(None, None, depth * 1.5)
    return TreeNode(build_tree(depth - 1), build_tree(depth - 1), depth * 1.5)


def bintree(scale: float) -> float:
    """Build a tree four times: 2 ** 17 call paths, the most distinct stacks of all programs."""
    weight = 0.0
    for _ in range(BINTREE_ROUNDS):
        root: TreeNode | None = build_tree(bintree_depth(scale))
        while root is not None:
            weight += root.weight
            root = root.right
    return weight


WORKLOADS: Final[dict[str, Callable[[float], object]]] = {
    "churn": churn,
    "hold": hold,
    "tree": tree,
    "jsn": jsn,
    "bintree": bintree,
}


def held_blocks(scale: float) -> int:
    """Return how many blocks `hold` keeps alive, but for a few hundred cached small integers."""
    return int(HOLD_ITEMS * scale) * HOLD_BLOCKS_PER_ITEM


def bintree_depth(scale: float) -> int:
    """Return how deep a tree `bintree` builds: one level less for each halving of the scale."""
    return max(1, BINTREE_DEPTH + round(math.log2(scale)))


def bintree_frames(scale: float) -> int:
    """Return how many distinct frames the stacks of `bintree` have, below its own.

    A frame is an instruction on one call path. A call of `build_tree` that makes two more calls
    has four (these two, the number, the tree node), a call at the bottom has two.
    """
    bottom: int = 2 ** bintree_depth(scale)
    return (bottom - 1) * 4 + bottom * 2
