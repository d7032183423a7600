"""Snapshots with types while other threads allocate, free and stop, under other allocators, and where types are few."""

from __future__ import annotations

import pytest
from building import Run
from interpreter import HAS_GIL

BUSY = """
import collections, gc, memtrace, sys, threading, unattached

class Node:
    def __init__(self, child):
        self.child = child
        self.items = [child] * 20

def churn():
    kept = collections.deque(maxlen=500)
    number = 0
    while not over:
        kept.append(Node(bytearray(number % 3000)))
        kept.append({number: str(number), "x": (number, [])})
        # A free-threaded build collects classes later than two threads make them.
        if number % 50 == 0: kept.append(type("Class", (), {})())
        number += 1

def retry():
    while not over:
        memtrace.stop()
        memtrace.start(5)

over = False
memtrace.start(5)
unattached.start(2, 1, False)
threads = [threading.Thread(target=churn) for _ in range(2)]
threads += [threading.Thread(target=retry)] * restarts
for thread in threads: thread.start()
taken = given = 0
for attempt in range(100):
    if taken == 6: break
    try:
        snapshot = memtrace.take_snapshot(types=True)
        for row in snapshot.statistics("type")[:5]:
            given += len(snapshot.objects(row, 1000))
        taken += 1
    except (RuntimeError, ValueError):  # not tracing, or another trace
        assert restarts
over = True
for thread in threads: thread.join()
unattached.stop()
assert (taken == 6 and given) or restarts
memtrace.stop()
gc.collect()
"""


@pytest.mark.parametrize("restarts", [0, 1])
def test_while_threads_allocate_free_and_stop(restarts: int, run: Run) -> None:
    run(f"restarts = {restarts}\n{BUSY}")


@pytest.mark.parametrize("malloc", ["malloc", "debug", "malloc_debug"] if HAS_GIL else ["debug", "mimalloc"])
def test_under_other_allocators(malloc: str, run: Run) -> None:
    run(
        """
import memtrace, sys
memtrace.start(5)
class Node:
    def __init__(self, number): self.number = number
kept = [Node(number) for number in range(1000)]
texts = [f"text {number}" for number in range(1000)]
snapshot = memtrace.take_snapshot(types=True)
rows = {row.key: row for row in snapshot.statistics("type")}
assert rows["__main__.Node"].count >= 1000, rows
assert 1000 <= rows["str"].count
assert {id(node) for node in snapshot.objects(rows["__main__.Node"], 5000)} == {id(node) for node in kept}
""",
        PYTHONMALLOC=malloc,
    )


def test_in_the_child_of_a_fork(run: Run) -> None:
    run(
        """
import memtrace, os
memtrace.start(5)
class Node: pass
kept = [Node() for number in range(1000)]
memtrace.take_snapshot(types=True)
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
else:
    kept += [Node() for number in range(1000)]
    snapshot = memtrace.take_snapshot(types=True)
    row = next(row for row in snapshot.statistics("type") if row.key == "__main__.Node")
    assert len(snapshot.objects(row, 5000)) == 2000
    os._exit(0)
"""
    )


def test_when_there_is_no_memory_for_it(run: Run) -> None:
    run(
        """
import memtrace, resource
memtrace.start(1)
kept = [[] for _ in range(100_000)]
soft, hard = resource.getrlimit(resource.RLIMIT_AS)
import os
pages = int(open("/proc/self/statm").read().split()[0])
failed = taken = 0
for extra in range(0, 24 << 20, 3 << 20):
    resource.setrlimit(resource.RLIMIT_AS, (pages * os.sysconf("SC_PAGE_SIZE") + extra, hard))
    try:
        snapshot = memtrace.take_snapshot(types=True)
        snapshot.objects(snapshot.statistics("type")[0], 100_000)
        taken += 1
    except MemoryError:
        failed += 1
    snapshot = None
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
assert failed, (failed, taken)
assert len(memtrace.take_snapshot(types=True).traces) > 100_000
"""
    )
