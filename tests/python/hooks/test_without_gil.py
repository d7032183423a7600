"""RAW blocks allocated and freed without the GIL, by Python's threads and by threads that Python does not know."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from building import Run
from sums import assert_sums_agree

import memtrace

Start = Callable[[int], None]

PREAMBLE = """
import faulthandler, gc, threading, time
import allocations, callers, unattached, memtrace
from sums import assert_sums_agree
# A deadlock ends as a failure that shows where.
faulthandler.dump_traceback_later(250, exit=True)

def traces_of_extension():
    "Count and bytes of the blocks that the extension holds, by the tracer's account."
    gc.collect()  # free lists keep objects that its threads made
    found = [t.size for t in memtrace.take_snapshot().traces if t.traceback[-1].filename in FILES]
    return len(found), sum(found)

FILES = ("<unknown>", callers.__file__)
"""


@pytest.fixture
def slots() -> Iterator[range]:
    import allocations

    yield range(100, 200)
    for slot in range(100, 200):
        allocations.free(slot, allocations.RAW)


def test_each_thread_has_its_own_frames(tracing: Start, slots: range) -> None:
    """While one thread holds the GIL, in other code, the others are recorded where they are."""
    import allocations

    barrier = threading.Barrier(len(slots))
    namespace: dict[str, object] = {"allocations": allocations, "barrier": barrier}
    # A function for each thread, on a line of its own in a file of its own.
    for slot in slots:
        source = "\n" * slot + f"def outer_{slot}(): inner_{slot}()\n"
        exec(compile(source, f"outer{slot}.py", "exec"), namespace)
        body = f"barrier.wait(); allocations.malloc({slot}, allocations.RAW_WITHOUT_GIL, {slot} + 900_000)"
        exec(compile("\n" * slot * 2 + f"def inner_{slot}(): {body}\n", f"inner{slot}.py", "exec"), namespace)
    tracing(10)
    threads = [threading.Thread(target=namespace[f"outer_{slot}"]) for slot in slots]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {
        trace.size - 900_000: [
            (frame.filename, frame.lineno) for frame in trace.traceback if "threading" not in frame.filename
        ]
        for trace in memtrace.take_snapshot().traces
        if trace.size >= 900_000
    }
    assert found == {slot: [(f"outer{slot}.py", slot + 1), (f"inner{slot}.py", 2 * slot + 1)] for slot in slots}
    assert_sums_agree()


def test_frames_change_between_calls(tracing: Start) -> None:
    """The same thread, with the GIL and without in turn, from ever other lines and depths."""
    import allocations

    domains = (allocations.RAW, allocations.RAW_WITHOUT_GIL, allocations.MEM)
    tracing(25)

    def deeper(levels: int, domain: int, size: int) -> int:
        if levels > 0:
            return deeper(levels - 1, domain, size)
        if size % 2:
            allocations.malloc(300, domain, size)
            return sys._getframe().f_lineno - 1
        allocations.realloc(300, domain, size)
        return sys._getframe().f_lineno - 1

    for turn in range(600):
        size = 900_000 + turn
        domain = domains[turn % 3]
        line = deeper(turn * 7 % 11, domain, size)
        (trace,) = [trace for trace in memtrace.take_snapshot().traces if trace.size == size]
        assert trace.traceback[-1].lineno == line
        below = [frame.lineno for frame in trace.traceback if frame.function.endswith("deeper")]
        assert len(below) == turn * 7 % 11 + 1
        allocations.free(300, domain)
    assert_sums_agree()


def test_threads_that_python_does_not_know(run: Run) -> None:
    run(
        PREAMBLE
        + """
memtrace.start(10)
for attach in (False, True):
    unattached.start(6, 1, attach)
    unattached.wait(50_000)
    unattached.stop()
    assert traces_of_extension() == unattached.held()
    assert unattached.held()[0] > 100
    assert_sums_agree()
    unattached.release(attach)
    assert traces_of_extension() == (0, 0)
    assert_sums_agree()
"""
    )


def test_blocks_cross_threads_and_locks(run: Run) -> None:
    """Allocated with the GIL and freed without, and the other way round, by the same and by other threads."""
    run(
        PREAMBLE
        + """
memtrace.start(10)
unattached.start(2, 3, True)
def work(seed):
    for turn in range(30):
        callers.here(2000, seed * 100 + turn, turn % 2 == 0)
threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
unattached.stop()
assert traces_of_extension() == unattached.held()
assert_sums_agree()
# In a thread that did not allocate any of them.
releasing = threading.Thread(target=unattached.release, args=(False,))
releasing.start()
releasing.join()
assert traces_of_extension() == (0, 0)
assert_sums_agree()
"""
    )


def test_the_hooks_come_and_go_meanwhile(run: Run) -> None:
    """A thread finds one allocator's function or the other's, never half of each: builds of 3.14 and 3.15 copy halves."""
    run(
        PREAMBLE
        + """
unattached.start(2, 9, False)
end = time.monotonic() + 2
rounds = 0
while time.monotonic() < end or rounds < 1000:
    memtrace.start(1)
    memtrace.stop()
    rounds += 1
unattached.stop()
"""
    )


def test_start_stop_and_clear_meanwhile(run: Run) -> None:
    """A thread that holds the GIL ends eras under the others; what they record afterwards belongs to the new one."""
    run(
        PREAMBLE
        + """
finished = False
def work(seed):
    turn = 0
    while not finished:
        turn += 1
        callers.here(1000, seed * 1000 + turn, turn % 3 == 0)
threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
for thread in threads: thread.start()
unattached.start(3, 5, False)
for rounds in range(1, 61):
    memtrace.start(rounds % 30 + 1)
    memtrace.take_snapshot()
    memtrace.get_traced_memory()
    memtrace.get_memtrace_memory()
    for _ in range(rounds % 20):
        memtrace.clear_traces()
    memtrace.reset_peak()
    if rounds % 4 == 0:
        memtrace.stop()
memtrace.start(5)
for _ in range(100):
    memtrace.clear_traces()
finished = True
for thread in threads: thread.join()
unattached.stop()
# Only what was allocated since the last clear_traces() is known, but of that everything.
blocks, size = traces_of_extension()
held_blocks, held_size = unattached.held()
assert blocks <= held_blocks and size <= held_size
assert_sums_agree()
unattached.release(True)
assert traces_of_extension() == (0, 0)
assert_sums_agree()
"""
    )


def test_eras_end_while_blocks_are_resized(run: Run) -> None:
    """A resize that begins in one era and ends in the next."""
    run(
        PREAMBLE
        + """
finished = False
def work(first):
    slots = range(first, first + 4)
    while not finished:
        for size in (100_000, 3_000_000, 50):
            for slot in slots:
                allocations.realloc(slot, allocations.RAW_WITHOUT_GIL, size)
threads = [threading.Thread(target=work, args=(i * 10,)) for i in range(4)]
memtrace.start(2)
for thread in threads: thread.start()
for _ in range(500):
    memtrace.clear_traces()
    time.sleep(0)
finished = True
for thread in threads: thread.join()
assert_sums_agree()
for thread in range(4):
    for slot in range(4):
        allocations.free(thread * 10 + slot, allocations.RAW)
assert_sums_agree()
assert memtrace.get_traced_memory()[0] < 100_000
"""
    )


def test_blocks_freed_as_threads_end(run: Run) -> None:
    """Destructors of thread-specific data run when the tracer's own state of that thread is going or gone."""
    run(
        PREAMBLE
        + """
memtrace.start(5)
unattached.end_threads(500)
own = memtrace.get_memtrace_memory()
unattached.end_threads(2000)
assert [t.size for t in memtrace.take_snapshot().traces].count(4321) == 1
unattached.free_left()
assert 4321 not in [t.size for t in memtrace.take_snapshot().traces]
assert traces_of_extension() == (0, 0), traces_of_extension()
assert_sums_agree()
# Threads that come and go leave no state behind, but a few records each.
assert memtrace.get_memtrace_memory() - own < 600_000
"""
    )
