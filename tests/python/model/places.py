"""Functions in files of their own, to call something from a known stack of known lines.

A path is a text such as "abfA": the functions `a`, `b` and `f` call one another, and `A` calls what was asked for. A path
that ends with `Z` ends in code that is compiled for this call alone and collected after it.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from memtrace import get_traced_memory as _traced

FOLDER = "/model/"
FRESH = FOLDER + "fresh.py"

# A stack, the oldest frame first.
Stack = tuple[tuple[str, int], ...]

# Ways to call the next function of the path: the text, and the lines of its frames. No call makes an object that
# stays, if only in a free list.
_PLAIN = ("def {n}(p, i, c, a):\n    return p[i](p, i + 1, c, a)\n", [2])
_LAMBDA = ("{n} = lambda p, i, c, a: p[i](p, i + 1, c, a)\n", [1])
_THROUGH_C = ("def {n}_(p, i, c, a):\n    x = 1\n    return p[i](p, i + 1, c, a)\n{n} = partial({n}_)\n", [3])
_GENERATOR = (
    "def {n}(p, i, c, a):\n    return next({n}_(p, i, c, a))\ndef {n}_(p, i, c, a):\n    yield p[i](p, i + 1, c, a)\n",
    [2, 4],
)
_TRIED = ("def {n}(p, i, c, a):\n    try:\n        return p[i](p, i + 1, c, a)\n    finally:\n        pass\n", [3])
_LEAF = ("def {n}(p, i, c, a):\n    return c(*a)\n", [2])

# File, blank lines before, name, kind. Lines far apart take other forms in a code object's table.
_LAYOUT = [
    ("one.py", 0, "a", _PLAIN),
    ("one.py", 0, "A", _LEAF),
    ("one.py", 7, "b", _GENERATOR),
    ("one.py", 300, "c", _THROUGH_C),
    ("one.py", 70_000, "B", _LEAF),
    ("two.py", 1, "d", _LAMBDA),
    ("two.py", 2, "C", _LEAF),
    ("two.py", 40, "e", _TRIED),
    ("two.py", 3, "f", _PLAIN),
]
CALLERS = "".join(name for _, _, name, _ in _LAYOUT if name.islower())
LEAVES = "".join(name for _, _, name, _ in _LAYOUT if name.isupper()) + "Z"


def _make() -> tuple[dict[str, Callable[..., Any]], dict[str, Stack]]:
    """All functions by name, and the frames of each."""
    texts: dict[str, str] = {}
    frames = {}
    for file, blank, name, (text, lines) in _LAYOUT:
        before = texts.get(file, "") + "\n" * blank
        first = before.count("\n")
        frames[name] = tuple((FOLDER + file, first + line) for line in lines)
        texts[file] = before + text.format(n=name)
    functions: dict[str, Any] = {"partial": partial}
    for file, text in texts.items():
        exec(compile(text, FOLDER + file, "exec"), functions)
    return functions, frames


_functions, _frames = _make()
_fresh_lines = itertools.cycle((1, 90, 2, 1000, 17))


def _below(depth: int) -> Stack:
    frame = sys._getframe(depth + 1)
    found = []
    while frame is not None:
        found.append((frame.f_code.co_filename, frame.f_lineno))
        frame = frame.f_back
    return tuple(reversed(found))


class Called(NamedTuple):
    """What came of a call: its result, its stack, and the traced memory with its peak before and after."""

    result: Any
    stack: Stack
    before: tuple[int, int]
    after: tuple[int, int]


def call_at(path: str, call: Callable[..., Any], arguments: tuple[Any, ...]) -> Called:
    """Call it from there."""
    *names, leaf = path
    frames = [frame for name in names for frame in _frames[name]]
    if leaf == "Z":
        line = next(_fresh_lines)
        made: dict[str, Any] = {}
        exec(compile("\n" * (line - 1) + "def Z(p, i, c, a): return c(*a)", FRESH, "exec"), made)
        last, frames = made["Z"], [*frames, (FRESH, line)]
    else:
        last, frames = _functions[leaf], [*frames, *_frames[leaf]]
    functions = (*(_functions[name] for name in names), last)
    # One line, whose number is in the stack.
    before, result, after, below = _traced(), functions[0](functions, 1, call, arguments), _traced(), _below(0)
    return Called(result, (*below, *frames), before, after)
