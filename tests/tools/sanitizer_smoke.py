#!/usr/bin/env python3
"""Drives the whole tracer for a few seconds: for a module built with a sanitizer, preloaded.

Allocates, frees, grows and drops in several threads while another takes snapshots; forks; generates code;
reads, filters, compares, writes and loads what it took; starts and stops. Prints how many checks passed.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import memtrace

SECONDS = 4.0
THREADS = 4

checks = 0


def check(condition: bool, what: str) -> None:
    """Count a check; end the run when it does not hold."""
    global checks
    if not condition:
        print(f"sanitizer smoke: {what}\n{checks} passed, 1 failed", flush=True)
        os._exit(1)
    checks += 1


def churn(deadline: float, seed: int) -> None:
    """Allocations of many shapes: small, large, grown in place and moved, zeroed, generated code."""
    kept: list[object] = []
    turn = seed
    while time.monotonic() < deadline:
        turn += 1
        kept.append([bytearray(turn % 7000), {turn: str(turn) * (turn % 50)}, [turn] * (turn % 300)])
        growing = bytearray()
        for size in (1, 100, 10_000, 300_000):
            growing.extend(bytes(size))
        del growing[50:]
        memtrace.track(7, seed << 20 | turn % 500, turn)
        memtrace.untrack(7, seed << 20 | turn * 7 % 500)
        if turn % 20 == 0:
            namespace: dict[str, object] = {}
            exec(f"def generated_{turn % 64}():\n    return [0] * {turn % 64}", namespace)
            kept.append(namespace)
        if len(kept) > 200:
            del kept[: turn % 200]


def look(deadline: float, folder: Path) -> None:
    """Snapshots taken and worked on while the others allocate."""
    previous = memtrace.take_snapshot()
    while time.monotonic() < deadline:
        snapshot = memtrace.take_snapshot()
        for key in ("lineno", "filename", "traceback", "domain"):
            check(sum(s.size for s in snapshot.statistics(key)) > 0, f"no statistics by {key}")
        total = sum(trace.size for trace in snapshot.traces)
        check(total == sum(s.size for s in snapshot.statistics("lineno")), "traces and statistics disagree")
        check(bool(snapshot.compare_to(previous, "lineno")), "nothing to compare")
        mine = snapshot.filter_traces([memtrace.Filter(True, __file__)])
        check(0 < len(mine.traces) <= len(snapshot.traces), "the filter kept nothing")
        file = folder / "snapshot"
        snapshot.dump(str(file))
        check(list(memtrace.Snapshot.load(str(file)).traces) == list(snapshot.traces), "the file differs")
        current, peak = memtrace.get_traced_memory()
        check(0 < current <= peak, "the peak is below the current size")
        check(memtrace.holders(memtrace)[0].root.kind == "module", "the module has no holder")
        previous = snapshot


def fork_once() -> None:
    """A child that goes on tracing, looks, and leaves."""
    child = os.fork()
    if child == 0:
        kept = [bytearray(1000) for _ in range(100)]
        traced = memtrace.get_object_traceback(kept[0]) is not None
        os._exit(0 if traced and memtrace.take_snapshot().statistics("lineno") else 1)
    check(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the forked child failed")


def main() -> int:
    """Exit status 0 when every check passed; a sanitizer's report ends the process before that."""
    with tempfile.TemporaryDirectory() as folder:
        memtrace.start(25)
        deadline = time.monotonic() + SECONDS
        threads = [threading.Thread(target=churn, args=(deadline, i * 1000)) for i in range(THREADS)]
        threads.append(threading.Thread(target=look, args=(deadline, Path(folder))))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    # With the threads gone: a sanitizer's runtime may hold a lock of its own across fork().
    for _ in range(3):
        fork_once()
    for nframe in (1, 3, 100):
        memtrace.stop()
        memtrace.start(nframe)
        check(memtrace.get_traceback_limit() == nframe, "the limit was not taken")
        kept = [object() for _ in range(1000)]
        check(memtrace.get_object_traceback(kept[-1]) is not None, "no traceback after a restart")
        memtrace.clear_traces()
        check(memtrace.get_object_traceback(kept[-1]) is None, "a traceback after clear_traces")
    memtrace.stop()
    gc.collect()
    check(not memtrace.is_tracing(), "tracing after stop")
    print(f"{checks} passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
