"""Interpreters that share the GIL and interpreters that have their own: they allocate and end, and the traces stay."""

from __future__ import annotations

import sys

import pytest
from building import Run

PREAMBLE = """
import faulthandler, os, sys, threading, time
import allocations, memtrace
from sums import assert_sums_agree
faulthandler.dump_traceback_later(250, exit=True)
if sys.version_info >= (3, 13):
    import _interpreters
    def create(own_gil):
        return _interpreters.create("isolated" if own_gil else "legacy")
    def run(interpreter, code):
        failure = _interpreters.exec(interpreter, code)
        assert failure is None, failure
    destroy = _interpreters.destroy
else:
    import _xxsubinterpreters
    def create(own_gil):
        return _xxsubinterpreters.create(isolated=own_gil)
    run, destroy = _xxsubinterpreters.run_string, _xxsubinterpreters.destroy

PATH = "import sys; sys.path[:] = " + repr(sys.path) + "\\n"
# Blocks on lines of a file of the sub-interpreter's own, kept until it ends.
ALLOCATE = PATH + '''
source = "\\\\n" * 9 + "kept = [bytearray(30_000 + i) for i in range(100)]\\\\n"
exec(compile(source, "inside.py", "exec"), globals())
'''
RAW = PATH + '''
import allocations
source = "\\\\n" * 19 + "for slot in range(200, 300): allocations.malloc(slot, 3, 50_000 + slot)\\\\n"
exec(compile(source, "inside.py", "exec"), globals())
'''

def inside(snapshot):
    "Count of blocks that were allocated inside, by size."
    found = {}
    for trace in snapshot.traces:
        frame = trace.traceback[-1]
        if frame.filename == "inside.py" and trace.size >= 30_000:
            assert frame.lineno == (10 if trace.size < 50_000 else 20), (frame, trace.size)
            found[trace.size] = found.get(trace.size, 0) + 1
    return found

EXPECTED = {sys.getsizeof(bytearray(30_000 + i)) - sys.getsizeof(bytearray()): 1 for i in range(100)}
"""

KINDS = [False, True] if sys.version_info >= (3, 12) else [False]


@pytest.mark.parametrize("own_gil", KINDS)
def test_blocks_of_a_sub_interpreter(own_gil: bool, run: Run) -> None:
    run(
        PREAMBLE
        + f"""
own_gil = {own_gil}
memtrace.start(5)
interpreter = create(own_gil)
run(interpreter, ALLOCATE)
snapshot = memtrace.take_snapshot()
assert inside(snapshot) == EXPECTED
assert_sums_agree()
destroy(interpreter)
# The names in the traces were never the interpreter's.
assert inside(snapshot) == EXPECTED
assert inside(memtrace.take_snapshot()) == {{}}
assert_sums_agree()
memtrace.stop()
assert inside(snapshot) == EXPECTED
"""
    )


@pytest.mark.parametrize("own_gil", KINDS)
def test_blocks_that_outlive_a_sub_interpreter(own_gil: bool, run: Run) -> None:
    """RAW blocks from inside, freed outside after the interpreter has gone."""
    run(
        PREAMBLE
        + f"""
own_gil = {own_gil}
memtrace.start(5)
interpreter = create(own_gil)
run(interpreter, RAW)
destroy(interpreter)
assert len(inside(memtrace.take_snapshot())) == 100
statistics = memtrace.take_snapshot().statistics("lineno")
assert [s.count for s in statistics if s.traceback[0].filename == "inside.py"] == [100]
for slot in range(200, 300):
    allocations.free(slot, allocations.RAW)
assert inside(memtrace.take_snapshot()) == {{}}
assert_sums_agree()
"""
    )


@pytest.mark.parametrize("own_gil", KINDS)
def test_sub_interpreters_come_and_go(own_gil: bool, run: Run) -> None:
    run(
        PREAMBLE
        + f"""
own_gil = {own_gil}
memtrace.start(25)
for turn in range(15):
    interpreters = [create(own_gil) for _ in range(2)]
    for interpreter in interpreters:
        run(interpreter, ALLOCATE)
    if turn % 4 == 0:
        memtrace.clear_traces()
    if turn % 4 == 1:
        memtrace.stop()
        memtrace.start(turn)
    if turn % 4 == 2:
        assert inside(memtrace.take_snapshot()) == {{size: 2 for size in EXPECTED}}
    for interpreter in interpreters:
        destroy(interpreter)
    if turn % 4 == 2:
        assert inside(memtrace.take_snapshot()) == {{}}
    kept = bytearray(10)
    assert memtrace.get_object_traceback(kept) is not None
    assert_sums_agree()
"""
    )


@pytest.mark.parametrize("own_gil", KINDS)
def test_sub_interpreters_in_threads(own_gil: bool, run: Run) -> None:
    """With a GIL each they allocate at the same time; the main one starts, clears and looks meanwhile."""
    run(
        PREAMBLE
        + f"""
own_gil = {own_gil}
BUSY = PATH + '''
def generate():
    for i in range(50):
        yield [bytearray(i), str(i) * 20, {{i: i}}]
for turn in range(400):
    kept = list(generate())
    exec("def f():\\\\n    return [0] * 10\\\\nf()")
'''
def work():
    interpreter = create(own_gil)
    run(interpreter, ALLOCATE)
    run(interpreter, BUSY)
    destroy(interpreter)
memtrace.start(10)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start()
rounds = 0
while rounds < 40 or any(thread.is_alive() for thread in threads):
    rounds += 1
    memtrace.take_snapshot().statistics("lineno")
    memtrace.get_traced_memory()
    memtrace.get_memtrace_memory()
    if rounds % 5 == 0: memtrace.clear_traces()
    if rounds % 17 == 0:
        memtrace.stop()
        memtrace.start(rounds % 20 + 1)
    kept = [bytearray(i) for i in range(100)]
    time.sleep(0.002)
for thread in threads: thread.join()
assert_sums_agree()
memtrace.clear_traces()
assert_sums_agree()
assert inside(memtrace.take_snapshot()) == {{}}
"""
    )


@pytest.mark.parametrize("own_gil", KINDS)
def test_tracing_from_within(own_gil: bool, run: Run) -> None:
    """Importing memtrace in a sub-interpreter works or is refused; the main interpreter's trace is unharmed."""
    run(
        PREAMBLE
        + f"""
own_gil = {own_gil}
memtrace.start(5)
interpreter = create(own_gil)
run(interpreter, PATH + '''
try:
    import memtrace
except ImportError as error:
    assert "interpreter" in str(error), error
else:
    memtrace.take_snapshot()
    memtrace.clear_traces()
    memtrace.start()
    kept = bytearray(10)
    memtrace.get_object_traceback(kept)
''')
kept = bytearray(10)
assert memtrace.get_object_traceback(kept) is not None
destroy(interpreter)
assert memtrace.is_tracing()
assert memtrace.get_object_traceback(bytearray(10)) is not None
assert_sums_agree()
"""
    )
