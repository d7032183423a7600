"""A generated program that holds many blocks allocated on many distinct, deep stacks.

Its code lies in a package of generated modules, written to a folder, so that it has real file
names and lines. A route is a sequence of functions that call one another; routes share prefixes
as the call paths of a real program do, and branch on their last levels only. At the end of a
route one of the leaf lines allocates a batch of equal `bytes` objects, one block each.
"""

import importlib
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "generated_program"
MODULES: Final = 24
FUNCTIONS_PER_MODULE: Final = 4
LEAF_SIZES: Final = (1, 24, 70, 180)
ROUTE_LENGTH: Final = 26

_HEADER = '"""Generated: one module of a program that allocates."""\n'
_STEP = """

def step_{index}(route, position, batch):
    return route[position](route, position + 1, batch)
"""
_LEAF = """

def leaf_{index}(route, position, batch):
    return [bytes({size}) for _ in range(batch)]
"""

Step = Callable[..., list[bytes]]


class LiveBlocks:
    """The program with its blocks; `hold` creates them, `change` frees some and adds others."""

    def __init__(self, folder: Path, *, blocks: int, stacks: int) -> None:
        """Write the package to *folder* and import it; *stacks* must be a power of two."""
        package = folder / PACKAGE
        package.mkdir()
        (package / "__init__.py").touch()
        for index in range(MODULES):
            (package / f"module_{index:02}.py").write_text(_module_source(), encoding="utf-8")
        sys.path.insert(0, str(folder))
        modules = [importlib.import_module(f"{PACKAGE}.module_{i:02}") for i in range(MODULES)]
        self.folder = package
        self._routes = [_route(modules, stack, stacks) for stack in range(stacks)]
        self._mean_batch = blocks / stacks
        self._held: list[list[bytes]] = []

    def hold(self) -> None:
        """Allocate all blocks: batches of one to eight ninths of twice the mean."""
        for stack in range(len(self._routes)):
            self._held.append(self._allocate(stack, self._mean_batch * (stack % 8 + 1) / 4.5))

    def change(self) -> None:
        """Free every twentieth batch and allocate another half of every tenth."""
        for stack in range(0, len(self._routes), 20):
            self._held[stack] = []
        for stack in range(5, len(self._routes), 10):
            self._held.append(self._allocate(stack, self._mean_batch / 2))

    def _allocate(self, stack: int, batch: float) -> list[bytes]:
        route = self._routes[stack]
        return route[0](route, 1, round(batch))


def _module_source() -> str:
    steps = [_STEP.format(index=index) for index in range(FUNCTIONS_PER_MODULE)]
    leaves = [_LEAF.format(index=index, size=size) for index, size in enumerate(LEAF_SIZES)]
    return "".join([_HEADER, *steps, *leaves])


def _route(modules: list[Any], stack: int, stacks: int) -> list[Step]:
    """Return the functions of one route; level by level one more bit of *stack* decides."""
    bits = stacks.bit_length() - 1
    route: list[Step] = []
    for level in range(ROUTE_LENGTH):
        decided = stack >> max(0, min(bits, ROUTE_LENGTH - 1 - level))
        choice = random.Random(f"{level} {decided}")
        kind, count = ("step", FUNCTIONS_PER_MODULE)
        if level == ROUTE_LENGTH - 1:
            kind, count = ("leaf", len(LEAF_SIZES))
        route.append(getattr(choice.choice(modules), f"{kind}_{choice.randrange(count)}"))
    return route
