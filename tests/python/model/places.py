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

_LEAF = "def {}(p, s, i, c, a):\n    return c(*a)\n"

# File, blank lines before (lines far apart take other forms in a code object's table), text, and the lines of the frames
# of each name that it makes. `p` has the functions of the path `s`. No call makes an object that stays, if only in a free
# list.
_LAYOUT = [
    ("one.py", 0, "def a(p, s, i, c, a):\n    return p[i](p, s, i + 1, c, a)\n", {"a": [2]}),
    ("one.py", 0, _LEAF.format("A"), {"A": [2]}),
    (
        "one.py",
        7,
        """\
def b(p, s, i, c, a):
    return next(b_(p, s, i, c, a))
def b_(p, s, i, c, a):
    yield p[i](p, s, i + 1, c, a)
""",
        {"b": [2, 4]},
    ),
    # Through C, which begins another run of the interpreter.
    (
        "one.py",
        300,
        """\
def c_(p, s, i, c, a):
    x = 1
    return p[i](p, s, i + 1, c, a)
c = partial(c_)
""",
        {"c": [3]},
    ),
    ("one.py", 70_000, _LEAF.format("B"), {"B": [2]}),
    ("two.py", 1, "d = lambda p, s, i, c, a: p[i](p, s, i + 1, c, a)\n", {"d": [1]}),
    ("two.py", 2, _LEAF.format("C"), {"C": [2]}),
    (
        "two.py",
        40,
        """\
def e(p, s, i, c, a):
    try:
        return p[i](p, s, i + 1, c, a)
    finally:
        pass
""",
        {"e": [3]},
    ),
    # The same function, on one line or the other.
    (
        "two.py",
        3,
        """\
def f(p, s, i, c, a):
    if s[i - 1] == "f":
        return p[i](p, s, i + 1, c, a)
    return p[i](p, s, i + 1, c, a)
g = f
""",
        {"f": [3], "g": [4]},
    ),
    # One generator, which stays where it is and is resumed from elsewhere.
    (
        "two.py",
        5,
        """\
def h_():
    p, s, i, c, a = yield
    while True:
        p, s, i, c, a = yield p[i](p, s, i + 1, c, a)
resume = h_()
next(resume)
def h(p, s, i, c, a):
    return resume.send((p, s, i, c, a))
""",
        {"h": [8, 4]},
    ),
]
CALLERS = "abcdefg"
ONCE = "h"  # in a path: it cannot call itself
LEAVES = "ABCZ"


def _make() -> tuple[dict[str, Callable[..., Any]], dict[str, Stack]]:
    """All functions by name, and the frames of each."""
    texts: dict[str, str] = {}
    frames = {}
    for file, blank, text, names in _LAYOUT:
        before = texts.get(file, "") + "\n" * blank
        first = before.count("\n")
        for name, lines in names.items():
            frames[name] = tuple((FOLDER + file, first + line) for line in lines)
        texts[file] = before + text
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
        exec(compile("\n" * (line - 1) + "def Z(p, s, i, c, a): return c(*a)", FRESH, "exec"), made)
        last, frames = made["Z"], [*frames, (FRESH, line)]
    else:
        last, frames = _functions[leaf], [*frames, *_frames[leaf]]
    functions = (*(_functions[name] for name in names), last)
    # One line, whose number is in the stack.
    before, result, after, below = _traced(), functions[0](functions, path, 1, call, arguments), _traced(), _below(0)
    return Called(result, (*below, *frames), before, after)
