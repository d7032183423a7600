"""A child goes on tracing, with sums that agree, whatever the other threads were doing when it was made."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from building import Run

PREAMBLE = """
import faulthandler, os, signal, sys, threading, time, warnings
import allocations, callers, unattached, memtrace
from sums import assert_sums_agree
faulthandler.dump_traceback_later(250, exit=True)
warnings.simplefilter("ignore", DeprecationWarning)  # fork() in a process with threads

def fork(check):
    "Run check() in a child; its exit status must be 0."
    child = os.fork()
    if child == 0:
        status = 1
        try:
            # The watchdog's thread is the parent's alone.
            signal.alarm(240)
            check()
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0, status

def trace_something():
    assert memtrace.is_tracing()
    before = memtrace.get_traced_memory()[0]
    kept = [bytearray(10_000) for _ in range(100)]
    assert memtrace.get_object_traceback(kept[50])[-1].function.startswith("trace_something")
    assert memtrace.get_traced_memory()[0] - before >= 1_000_000
    for domain in (allocations.RAW, allocations.RAW_WITHOUT_GIL):
        assert allocations.malloc(0, domain, 777_777)
        assert [t.size for t in memtrace.take_snapshot().traces].count(777_777) == 1
        allocations.free(0, domain)
    del kept
    after = memtrace.get_traced_memory()[0]
    # What free lists keep stays.
    assert abs(after - before) < 500_000, (before, after)
"""


def test_a_child_goes_on_tracing(run: Run) -> None:
    run(
        PREAMBLE
        + """
memtrace.start(5)
kept = bytearray(123_456)
storage = sys.getsizeof(kept) - sys.getsizeof(bytearray())
snapshot = memtrace.take_snapshot()
traces = list(snapshot.traces)

def check():
    # What the parent has traced is traced here, too.
    assert memtrace.get_object_traceback(kept)[-1].lineno == KEPT
    assert [t.size for t in memtrace.take_snapshot().traces].count(storage) == 1
    assert list(snapshot.traces) == traces
    assert_sums_agree()
    trace_something()
    assert_sums_agree()
    memtrace.clear_traces()
    trace_something()
    memtrace.stop()
    assert list(snapshot.traces) == traces
    memtrace.start(3)
    trace_something()
    assert_sums_agree()
    # And a child of the child.
    fork(lambda: (trace_something(), assert_sums_agree()))

KEPT = next(t.traceback[-1].lineno for t in traces if t.size == storage)
fork(check)
trace_something()
assert_sums_agree()
memtrace.stop()
fork(lambda: (memtrace.is_tracing() and sys.exit(1)))
"""
    )


def test_fork_while_others_allocate_without_the_gil(run: Run) -> None:
    """The others may be anywhere in an event: between a block and its counters, in the middle of a resize."""
    run(
        PREAMBLE
        + """
memtrace.start(10)
unattached.start(3, 7, False)
finished = False
def work(seed):
    turn = 0
    while not finished:
        turn += 1
        callers.here(500, seed * 1000 + turn, turn % 2 == 0)
def resize(first):
    while not finished:
        for size in (1_000, 600_000, 3):
            for slot in range(first, first + 3):
                allocations.realloc(slot, allocations.RAW_WITHOUT_GIL, size)
threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(2)]
threads += [threading.Thread(target=resize, args=(100 * i,), daemon=True) for i in range(1, 4)]
for thread in threads: thread.start()

def check():
    assert_sums_agree()
    trace_something()
    assert_sums_agree()
    # Every block there is can go, whoever it was of.
    before = memtrace.get_traced_memory()[0]
    held = unattached.held()
    unattached.release(False)
    for slot in range(1000):
        allocations.free(slot, allocations.RAW)
    assert_sums_agree()
    assert memtrace.get_traced_memory()[0] < before

def from_another_thread(rounds):
    for _ in range(rounds):
        fork(check)

for _ in range(60):
    fork(check)
forking = threading.Thread(target=from_another_thread, args=(20,))
forking.start()
forking.join()
finished = True
for thread in threads: thread.join()
unattached.stop()
assert_sums_agree()
"""
    )


def test_fork_between_a_reallocation_and_its_end(run: Run) -> None:
    """A block that is out of the table when the process is copied, and in the counters still."""
    run(
        PREAMBLE
        + """
memtrace.start(3)
finished = False
def resize(slot):
    size = 0
    while not finished:
        size = 20_000_000 - size
        allocations.realloc(slot, allocations.RAW_WITHOUT_GIL, size + 5_000_000)
threads = [threading.Thread(target=resize, args=(slot,), daemon=True) for slot in range(2)]
for thread in threads: thread.start()
for _ in range(100):
    fork(assert_sums_agree)
finished = True
for thread in threads: thread.join()
assert_sums_agree()
"""
    )


def task(size: int) -> tuple[bool, int, str]:
    """Run in a worker of multiprocessing: what the tracer there says."""
    import memtrace

    if not memtrace.is_tracing():
        return False, 0, ""
    kept = bytearray(size)
    traceback = memtrace.get_object_traceback(kept)
    assert traceback is not None
    return True, memtrace.get_traced_memory()[0], traceback[-1].function or ""


POOL = """
import multiprocessing, sys
sys.path.insert(0, {folder!r})
import memtrace
from test_fork import task
if __name__ == "__main__":
    memtrace.start(5)
    with multiprocessing.get_context({method!r}).Pool(2) as pool:
        for tracing, traced, function in pool.map(task, [100_000] * 4):
            assert tracing == {inherits}, tracing
            if tracing:
                assert traced > 100_000 and function == "task", (traced, function)
    assert memtrace.get_object_traceback(bytearray(10)) is not None
    from sums import assert_sums_agree
    assert_sums_agree()
    print("done")
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_multiprocessing(method: str, run: Run, tmp_path: Path) -> None:
    """A forked worker goes on tracing; the others are processes of their own."""
    program = tmp_path / "program.py"
    inherits = method == "fork"
    program.write_text(POOL.format(folder=str(Path(__file__).parent), method=method, inherits=inherits))
    assert run(program, "-W", "ignore::DeprecationWarning") == "done\n"


def test_subprocess_by_vfork_and_by_fork(run: Run) -> None:
    run(
        PREAMBLE
        + """
import subprocess
memtrace.start(5)
for preexec in (None, os.getpid):
    with warnings.catch_warnings():
        output = subprocess.run([sys.executable, "-c", "print(1)"], capture_output=True, preexec_fn=preexec).stdout
    assert output == b"1\\n"
trace_something()
assert_sums_agree()
"""
    )


def test_fork_while_others_look_at_snapshots(run: Run) -> None:
    """No lock of a snapshot is inherited held, whatever another thread was doing with it."""
    run(
        PREAMBLE
        + """
memtrace.start(25)
kept = [eval("[i]" + "+ [i]" * (i % 50)) for i in range(2000)]
finished = False
shared = memtrace.take_snapshot()
def look():
    while not finished:
        fresh = memtrace.take_snapshot()
        for snapshot in (fresh, fresh.filter_traces([memtrace.Filter(True, "*")])):
            snapshot.statistics("traceback")
            len(snapshot.traces)
            snapshot.compare_to(shared, "lineno")
def check():
    memtrace.take_snapshot().compare_to(shared, "traceback")
    assert len(shared.filter_traces([memtrace.Filter(True, "*")]).traces) > 2000
    trace_something()
threads = [threading.Thread(target=look) for _ in range(2)]
for thread in threads: thread.start()
for _ in range(40): fork(check)
finished = True
for thread in threads: thread.join()
"""
    )
