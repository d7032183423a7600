"""What loaded extensions report through CPython's C API for tracemalloc reaches memtrace while it traces."""

from __future__ import annotations

from pathlib import Path

import pytest
from building import Run, compile_c

PREAMBLE = """
import importlib, sys, threading, tracemalloc
import memtrace
from sums import assert_sums_agree
NOT_TRACING = -2

def domain(number, tracer=memtrace):
    "Blocks of the domain, as (size, line) pairs."
    traces = tracer.take_snapshot().traces
    return sorted((t.size, t.traceback[-1].lineno) for t in traces if t.domain == number)

def here():
    return sys._getframe(1).f_lineno
"""


def test_reports_while_tracing(reporter: str, run: Run) -> None:
    run(
        PREAMBLE
        + f"""
import {reporter} as r
assert r.at_import == r.report(7, 100, 50) == r.forget(7, 100) == NOT_TRACING
assert r.traceback(7, 100) is None
for turn in range(3):
    memtrace.start(10)
    assert r.report(7, 100, 50) == 0; line = here()
    assert domain(7) == [(50, line)]
    assert r.traceback(7, 100) == ((__file__ if "__file__" in globals() else "<string>", line),), r.traceback(7, 100)
    assert r.report(7, 100, 60) == 0; line = here()
    assert r.report(8, 100, 70) == 0
    assert domain(7) == [(60, line)] and len(domain(8)) == 1
    assert r.forget(7, 100) == r.forget(7, 100) == 0
    assert domain(7) == [] and r.traceback(7, 100) is None
    assert_sums_agree()
    memtrace.stop()
    assert r.report(7, 100, 50) == NOT_TRACING
    assert r.forget(7, 100) == NOT_TRACING
""",
    )


def test_an_extension_that_is_loaded_while_tracing(reporter: str, run: Run) -> None:
    """Also what it reports before its import has returned, which is what numpy does."""
    run(
        PREAMBLE
        + f"""
memtrace.start(25)
import {reporter} as r; line = here()
assert r.at_import == 0
trace, = [t for t in memtrace.take_snapshot().traces if t.domain == 4242]
assert trace.size == 100 and trace.traceback[0].lineno == line
assert r.report(7, 100, 50) == 0
memtrace.stop()
assert r.report(7, 100, 50) == NOT_TRACING
"""
    )


@pytest.mark.parametrize("first", ["memtrace", "tracemalloc"])
def test_both_tracers(first: str, reporter: str, run: Run) -> None:
    """Each reports what it would report alone, whichever starts and stops first."""
    second = {"memtrace": "tracemalloc", "tracemalloc": "memtrace"}[first]
    run(
        PREAMBLE
        + f"""
import {reporter} as r
first, second = {first}, {second}
first.start(5)
assert r.report(7, 100, 50) == 0; line = here()
second.start(5)
assert r.report(7, 200, 60) == 0; other = here()
assert domain(7, first) == [(50, line), (60, other)]
assert domain(7, second) == [(60, other)]
assert r.traceback(7, 100)[0][1] == line
assert r.forget(7, 100) == 0
assert domain(7, first) == domain(7, second) == [(60, other)]
first.stop()
assert r.report(7, 300, 70) == 0; third = here()
assert domain(7, second) == [(60, other), (70, third)]
second.stop()
assert r.report(7, 300, 70) == r.forget(7, 300) == NOT_TRACING
"""
    )


def test_a_block_that_is_taken_over_is_counted_once(reporter: str, run: Run) -> None:
    """As numpy does it: RAW memory, moved from domain 0 to its own."""
    run(
        PREAMBLE
        + f"""
import {reporter} as r
SIZE = 10_000_019
memtrace.start(5)
block = r.take_over(7, SIZE); line = here()
assert [t.domain for t in memtrace.take_snapshot().traces if t.size == SIZE] == [7]
assert domain(7) == [(SIZE, line)]
current, peak = memtrace.get_traced_memory()
assert SIZE <= current < SIZE + 2_000_000, current
r.give_back(7, block)
assert [t for t in memtrace.take_snapshot().traces if t.size == SIZE] == []
assert_sums_agree()
"""
    )


def test_threads_without_the_gil(reporter: str, run: Run) -> None:
    run(
        PREAMBLE
        + f"""
import {reporter} as r
memtrace.start(5)
def work(first):
    for turn in range(2000):
        for i in range(first, first + 5):
            assert r.report(7, i, turn, turn % 2) == 0
        for i in range(first, first + 4):
            assert r.forget(7, i) == 0
threads = [threading.Thread(target=work, args=(1000 * i,)) for i in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert [size for size, _ in domain(7)] == [1999] * 4
assert_sums_agree()
"""
    )


def test_a_function_that_is_asked_for_by_name(run: Run) -> None:
    """A pointer from dlsym() is as good as a slot, also when tracing has been stopped and started again."""
    run(
        PREAMBLE
        + """
import ctypes
memtrace.start(5)
track = ctypes.pythonapi.PyTraceMalloc_Track
track.argtypes = [ctypes.c_uint, ctypes.c_size_t, ctypes.c_size_t]
assert track(7, 100, 50) == 0
assert [size for size, _ in domain(7)] == [50]
memtrace.stop()
assert track(7, 100, 50) == NOT_TRACING
memtrace.start(5)
assert track(7, 100, 60) == 0
assert [size for size, _ in domain(7)] == [60]
"""
    )


def test_a_library_that_ctypes_loads(tmp_path: Path, run: Run) -> None:
    library = tmp_path / "libpool.so"
    source = tmp_path / "pool.c"
    source.write_text(
        "#define PY_SSIZE_T_CLEAN\n#include <Python.h>\n"
        "int pool_report(unsigned a, size_t b, size_t c) { return PyTraceMalloc_Track(a, b, c); }\n"
    )
    compile_c("-fPIC", "-shared", "-o", str(library), str(source))
    run(
        PREAMBLE
        + f"""
import ctypes
memtrace.start(5)
pool = ctypes.PyDLL({str(library)!r})
assert pool.pool_report(7, 100, 50) == 0
assert [size for size, _ in domain(7)] == [50]
memtrace.stop()
assert pool.pool_report(7, 100, 50) == NOT_TRACING
"""
    )


def test_a_slot_that_somebody_else_has_redirected_stays_his(tmp_path: Path, run: Run) -> None:
    """Two tools that patch slots: the one that came first keeps them, during our trace and after it."""
    source = tmp_path / "redirected.c"
    source.write_text(
        r"""
        #define PY_SSIZE_T_CLEAN
        #include <Python.h>
        // A slot of this library's own, that another tool has pointed elsewhere.
        static int other(unsigned a, uintptr_t b, size_t c) { (void)a, (void)b, (void)c; return 77; }
        int (*redirected)(unsigned, uintptr_t, size_t) = PyTraceMalloc_Track;
        void redirect(void *to) { redirected = to ? to : (void *)other; }
        int call(void) { return redirected(7, 100, 50); }
        """
    )
    library = tmp_path / "libredirected.so"
    compile_c("-fPIC", "-shared", "-o", str(library), str(source))
    tool = tmp_path / "libtool.so"
    (tmp_path / "tool.c").write_text(
        "int tool(unsigned a, unsigned long b, unsigned long c) { return (int)(a + b + c); }"
    )
    compile_c("-fPIC", "-shared", "-o", str(tool), str(tmp_path / "tool.c"))
    run(
        PREAMBLE
        + f"""
import ctypes
library, tool = ctypes.PyDLL({str(library)!r}), ctypes.CDLL({str(tool)!r})
assert library.call() == NOT_TRACING
memtrace.start(5)
assert library.call() == 0  # a pointer that the loader has filled in is a slot
memtrace.stop()
assert library.call() == NOT_TRACING
library.redirect(tool.tool)
memtrace.start(5)
assert library.call() == 157
memtrace.stop()
assert library.call() == 157
"""
    )


def test_a_process_that_stops_and_starts_while_extensions_report(run: Run) -> None:
    run(
        PREAMBLE
        + """
import reporter_lazy, reporter_sealed, reporter_noplt
stopping = False
def work(r, first):
    turn = 0
    while not stopping:
        turn += 1
        assert r.report(7, first + turn % 50, turn, turn % 2) in (0, NOT_TRACING)
        assert r.forget(7, first + turn * 7 % 50) in (0, NOT_TRACING)
threads = [threading.Thread(target=work, args=(r, 1000 * i)) for i, r in
           enumerate([reporter_lazy, reporter_sealed, reporter_noplt])]
for t in threads: t.start()
for turn in range(200):
    memtrace.start(turn % 5 + 1)
    if turn % 3 == 0: memtrace.clear_traces()
    if turn % 7 == 0: memtrace.take_snapshot().statistics("domain")
    memtrace.stop()
memtrace.start(3)
stopping = True
for t in threads: t.join()
assert_sums_agree()
"""
    )


def test_a_child_after_fork_goes_on(run: Run) -> None:
    run(
        PREAMBLE
        + """
import os, reporter_sealed as r
memtrace.start(5)
r.report(7, 100, 50)
child = os.fork()
if child == 0:
    assert r.report(7, 200, 60) == 0 and r.forget(7, 100) == 0
    assert [size for size, _ in domain(7)] == [60]
    import reporter_lazy
    assert reporter_lazy.at_import == 0
    assert_sums_agree()
    memtrace.stop()
    assert r.report(7, 200, 60) == NOT_TRACING
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert [size for size, _ in domain(7)] == [50]
"""
    )
