"""Code that is generated, run and collected: what it costs, and that nobody gets another's lines."""

from __future__ import annotations

import gc
import random
import sys
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

import pytest
from building import Run
from interpreter import HAS_GIL

import memtrace

Start = Callable[[int], None]

# What the collector does now and then can be at places of its own. Without a GIL a thread's records come in eights.
FEW = 3 if HAS_GIL else 11


def table_sizes() -> tuple[int, int, int, int]:
    status = memtrace._core.status()
    return status["codes"], status["nodes"], status["records"], status["dropped"]


def generated(filename: str, line: int, name: str, statements: int = 0) -> CodeType:
    """The code of a function at that line, which returns an object that it allocates after so many statements."""
    body = "".join(f"    x = {number}\n" for number in range(statements))
    source = "\n" * (line - 1) + f"def {name}():\n{body}    return bytearray(10)\n"
    (function,) = (c for c in compile(source, filename, "exec").co_consts if isinstance(c, CodeType))
    return function


def call(code: CodeType) -> Any:
    return FunctionType(code, {})()


@pytest.mark.parametrize("nframe", [1, 25])
def test_identical_code_adds_nothing(nframe: int, tracing: Start) -> None:
    gc.collect()  # what other tests left behind is finalized by code of its own
    tracing(nframe)

    def round_trip() -> None:
        exec(compile("def f():\n    return [str(i) for i in range(3)]\nf()\n", "again.py", "exec"), {})
        call(generated("again.py", 7, "again", 3))

    # After a thousand times, only what the collector does now and then can be at a place of its own. The JIT has some for
    # each trace, where a loop or a way out of a trace has become hot: that of 4096 times, and again of each trace's exits.
    jit = getattr(sys, "_jit", None)
    turns, more = (10_000, 100) if jit and jit.is_enabled() else (1000, FEW)
    sizes = []
    for turn in range(3 * turns + 1):
        round_trip()
        if turn % turns == 0:
            sizes.append(table_sizes())
    assert all(late - early <= more for early, late in zip(sizes[1], sizes[3], strict=True)), sizes


def test_identical_code_that_stays_adds_nothing(tracing: Start) -> None:
    """Many code objects of the same content at the same time."""
    tracing(25)
    kept: list[CodeType] = []
    sizes = []
    for turn in range(901):
        code = generated("again.py", 7, "again", 3)
        kept.append(code)
        call(code)
        if turn % 300 == 0:
            sizes.append(table_sizes())
    assert all(late - early <= FEW for early, late in zip(sizes[1], sizes[3], strict=True)), sizes


def test_code_at_the_address_of_another(tracing: Start) -> None:
    """Thousands of functions, each collected before the next is made, mostly at the same few addresses."""
    tracing(25)
    rng = random.Random(5)
    addresses = set()
    kept = []
    for turn in range(40_000):
        # Without a GIL it can take long until an address comes again.
        if turn >= 4000 and len(addresses) < turn:
            break
        filename, line, statements = f"file{rng.randrange(400)}.py", rng.randint(1, 500), rng.randint(0, 12)
        code = generated(filename, line, f"function{turn % 7}", statements)
        addresses.add(id(code))
        obj = call(code)
        del code
        traceback = memtrace.get_object_traceback(obj)
        assert traceback is not None
        top = traceback[-1]
        assert (top.filename, top.lineno, top.function) == (filename, line + statements + 1, f"function{turn % 7}")
        assert traceback[-2].function == "call"
        if turn % 100 == 0:
            kept.append((obj, traceback))
        # Without a GIL functions are collected in heaps, now and then; seldom where there are many other objects.
        if not HAS_GIL and turn % 100 == 0:
            gc.collect()
    # Without a GIL, in a process with a long past, each may get one of its own.
    assert len(addresses) < 1000 or not HAS_GIL
    for obj, traceback in kept:
        assert memtrace.get_object_traceback(obj) == traceback


def test_code_at_the_address_of_another_deep_in_the_stack(tracing: Start) -> None:
    """What is collected and replaced is a caller, or a generator's code while others stay."""
    tracing(25)
    namespace: dict[str, Any] = {}

    def make(name: str, body: str, line: int) -> str:
        filename = f"{name}-{line}.py"
        exec(compile("\n" * (line - 1) + f"def {name}(rest):\n    {body}\n", filename, "exec"), namespace)
        return filename

    def allocate() -> bytearray:
        return bytearray(10)

    for turn in range(1000):
        expected = []
        for name, body, offset in (
            ("outer", "return middle(rest)", 0),
            ("middle", "return next(inner(rest))", 1),
            ("inner", "yield rest()", 2),
        ):
            # Not all of them are replaced every time.
            line = (turn if turn % (offset + 2) == 0 else 0) + 1
            expected.append((make(name, body, line), line + 1))
        if turn % 50 == 0:
            gc.collect()
        obj = namespace["outer"](allocate)
        traceback = memtrace.get_object_traceback(obj)
        assert traceback is not None
        assert [(frame.filename, frame.lineno) for frame in traceback][-4:-1] == expected


def test_code_changed_in_place(tracing: Start) -> None:
    """A function's code can be exchanged while it runs, and its copy has lines of its own."""
    tracing(5)
    first, second = generated("one.py", 10, "f"), generated("two.py", 20, "f")
    function = FunctionType(first, {})
    for turn in range(100):
        function.__code__ = (first, second)[turn % 2]
        frame = memtrace.get_object_traceback(function())[-1]  # type: ignore[index]
        assert (frame.filename, frame.lineno) == (("one.py", 11), ("two.py", 21))[turn % 2]
    moved = first.replace(co_filename="three.py", co_firstlineno=30)
    frame = memtrace.get_object_traceback(call(moved))[-1]  # type: ignore[index]
    assert (frame.filename, frame.lineno) == ("three.py", 31)


def test_names_beyond_ascii(tracing: Start) -> None:
    tracing(5)
    kept = []
    for filename in ("ä.py", "日本.py", "😀.py", "\udc80\udcff.py", "a\0b.py", "", "x" * 5000):
        code = generated("plain.py", 1, "名前").replace(co_filename=filename)
        obj = call(code)
        kept.append((obj, filename))
        frame = memtrace.get_object_traceback(obj)[-1]  # type: ignore[index]
        assert (frame.filename, frame.lineno, frame.function) == (filename, 2, "名前")
    for obj, filename in kept:
        assert memtrace.get_object_traceback(obj)[-1].filename == filename  # type: ignore[index]


def test_code_without_lines(tracing: Start) -> None:
    """Location tables that say little or that are damaged: some answer, and no crash."""
    tracing(5)
    code = generated("plain.py", 40, "f", 5)
    for table in (b"", b"\x80", b"\xff" * 100, code.co_linetable[:3], code.co_linetable * 3):
        frame = memtrace.get_object_traceback(call(code.replace(co_linetable=table)))[-1]  # type: ignore[index]
        assert frame.filename == "plain.py"
        assert frame.lineno >= 0


DISTINCT = """
import gc, memtrace
COUNT = 20_000

def cost(nframe):
    memtrace.stop()
    memtrace.start(nframe)
    def generate(number):
        exec(compile(f"def f{number}():\\n    return bytearray({number})\\nf{number}()\\n", f"<generated {number}>", "exec"), {})
    for number in range(1000):
        generate(number)
    before, codes = memtrace.get_memtrace_memory(), memtrace._core.status()["codes"]
    for number in range(1000, COUNT):
        generate(number)
    after, more = memtrace.get_memtrace_memory(), memtrace._core.status()["codes"] - codes
    assert more >= 2 * (COUNT - 1000), more
    memtrace.clear_traces()
    return (after - before) / more, before, memtrace.get_memtrace_memory()

for nframe in (1, 25):
    each, before, cleared = cost(nframe)
    assert each <= 600, (nframe, each)
    assert cleared <= before, (nframe, before, cleared)
    print(f"{nframe} frames: {each:.0f} bytes each", flush=True)
"""


def test_distinct_code_is_cheap_and_given_back(run: Run) -> None:
    assert run(DISTINCT).count("bytes each") == 2
