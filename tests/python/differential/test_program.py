"""One program under both tracers, each in a process of its own: the same blocks, sizes and lines."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from interpreter import HAS_GIL

PENDING = 64 * 1024  # bytes, of each thread; the programs run one at a time

PROGRAMS = {
    "containers": """
        class Point:
            def __init__(self, x, y):
                self.x, self.y = x, y
        kept = [Point(i, str(i) * 3) for i in range(2000)]
        table = {i * 1000: [i] * (i % 7) for i in range(3000)}
        text = "".join(str(i) for i in range(5000)); words = {w + "!" for w in map(str, range(1000))}
        for i in range(0, 3000, 2):
            del table[i * 1000]
        buffer = bytearray()
        for i in range(1000):
            buffer += b"x" * i
        """,
    "calls": """
        import functools, itertools
        def recurse(n):
            return [n, bytes(n), recurse(n - 1) if n else None]
        kept = [recurse(n) for n in range(60)]
        def generate(n):
            for i in range(n):
                yield (i * 1000, bytes(i))
        kept.append(list(generate(500)))
        kept.append(list(map(lambda i: (i * 1000,) * 3, range(500))))
        kept.append(sorted((bytes(i % 100) for i in range(300)), key=lambda b: (len(b), b)))
        class Lazy:
            @functools.cached_property
            def value(self): return bytearray(3000)
            def __getattr__(self, name): return [name] * 50
        lazies = [Lazy() for _ in range(50)]
        kept.append([(lazy.value, lazy.other) for lazy in lazies])
        pairs = itertools.product(range(20), repeat=2)
        kept.append(list(itertools.starmap(lambda a, b: bytearray(a + b), pairs)))
        """,
    "code": """
        namespaces = []
        for i in range(40):
            namespace = {}
            source = f"def f{i}(x):\\n    y = [x] * {i + 50}\\n    return y\\nkept = f{i}({i})"
            exec(compile(source, f"<made {i}>", "exec"), namespace)
            namespaces.append(namespace)
        import json
        kept = json.loads(json.dumps({str(i): [i, i * 0.5, None, "text" * i] for i in range(300)}))
        """,
    "threads": """
        import threading
        kept = {}
        def work(name):
            kept[name] = [bytearray(i) for i in range(500)]
        for name in ("a", "b", "c"):
            thread = threading.Thread(target=work, args=(name,)); thread.start(); thread.join()
        """,
}  # fmt: skip

# Both tracers are imported in both processes, so that the same modules are left for the program to import.
# The free lists are emptied before and after: a block that was there before start() is not traced when it is
# used again, and tracemalloc's own take_snapshot() reuses one. A class is kept under its address as an int, which may be a
# block of a free list below 2**30 only: where the heap begins below and may reach it, it is drawn again.
HARNESS = """
import collections, gc, json, os, sys
if 2**30 - 2**26 < id("x" * 1000) < 2**32:
    os.execv(sys.executable, [sys.executable, *sys.argv])
import memtrace, tracemalloc
name, limit, program, result = sys.argv[1:]
tracer = sys.modules[name]
code = compile(open(program).read(), program, "exec")

def empty_free_lists():
    return [[] for _ in range(200)], [{} for _ in range(200)], [float(number) for number in range(200)], [
        tuple([None] * length) for length in range(1, 20) for _ in range(2500)
    ]

def text(trace):
    frames = [(frame.filename, frame.lineno) for frame in trace.traceback]
    return repr((trace.domain, trace.size, frames, trace.traceback.total_nframe))

gc.collect()
gc.disable()
before = empty_free_lists()
scope = {"__name__": "__main__"}
tracer.start(int(limit))
exec(code, scope)
size, peak = tracer.get_traced_memory()
after = empty_free_lists()
snapshot = tracer.take_snapshot()
tracer.stop()
own = [trace for trace in snapshot.traces if trace.traceback[-1].filename.startswith((program, "<made"))]
traces = collections.Counter(map(text, own))
sizes = collections.Counter(str((trace.domain, trace.size)) for trace in snapshot.traces)
json.dump({"traces": traces, "sizes": sizes, "size": size, "peak": peak}, open(result, "w"))
"""


def trace(tracer: str, limit: int, program: Path) -> dict[str, Any]:
    result = program.with_name(f"{tracer}.json")
    harness = program.with_name("harness.py")
    harness.write_text(HARNESS)
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        [sys.executable, str(harness), tracer, str(limit), str(program), str(result)],
        env=environment,
        check=True,
    )
    loaded: dict[str, Any] = json.loads(result.read_text())
    return loaded


@pytest.fixture(params=product(PROGRAMS, (1, 4, 25)), ids="{0[0]}-{0[1]}".format, scope="module")
def traced(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any]]:
    name, limit = request.param
    program = tmp_path_factory.mktemp(name) / "program.py"
    program.write_text(textwrap.dedent(PROGRAMS[name]))
    return trace("tracemalloc", limit, program), trace("memtrace", limit, program)


def comparable(traces: dict[str, int]) -> dict[str, int]:
    if sys.version_info >= (3, 13):
        return traces
    # There CPython tells nobody but tracemalloc that a block of a free list has a new owner. No free list has
    # blocks this large.
    return {text: count for text, count in traces.items() if ast.literal_eval(text)[1] > 256}


def test_same_blocks(traced: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = (comparable(side["traces"]) for side in traced)
    assert len(theirs) >= 5
    assert ours == theirs


def test_same_sizes(traced: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = (Counter(side["sizes"]) for side in traced)
    # Whoever owns a block, it is there once. What differs is what the tracers' own Python code leaves.
    different = (theirs - ours).total() + (ours - theirs).total()
    assert different <= max(40, 0.005 * theirs.total())


def test_same_totals(traced: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = traced
    assert ours["size"] == pytest.approx(theirs["size"], rel=0.01)
    # Without a GIL the peak misses what threads have pending.
    pending = 0 if HAS_GIL else PENDING
    assert 0.99 * theirs["peak"] - pending <= ours["peak"] <= 1.01 * theirs["peak"]
