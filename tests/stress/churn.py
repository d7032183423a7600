"""Threads that allocate in every way, forks, code that is generated and dies, and somebody who restarts the tracer.

At the end the live blocks, the records' counters and the total must be one and the same sum.
"""

from __future__ import annotations

import bz2
import gc
import hashlib
import os
import random
import resource
import signal
import sys
import threading
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sums import assert_sums_agree

import memtrace

CHILD_SECONDS = 60
# What the tracer keeps after stop() of each thread that there was: its state, for the next one.
STATE_BYTES = 160 * 1024


class Worker:
    """What one thread does, again and again, with blocks that it keeps for a while."""

    def __init__(self, seed: int) -> None:
        self.done = 0
        self.codes = 0
        self._random = random.Random(seed)
        self._kept: list[object] = [None] * 500
        self._actions: list[Callable[[], object]] = [
            self._containers,
            self._resize,
            self._generators,
            self._exceptions,
            self._code,
            self._without_gil,
            self._cycles,
            lambda: self._recursion(self._random.choice((10, 50, 200, 800))),
        ]

    def work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            place = self._random.randrange(len(self._kept))
            self._kept[place] = self._random.choice(self._actions)()
            self.done += 1

    def _containers(self) -> object:
        size = self._random.randrange(50)
        return [{i: str(i), (i,): float(i)} for i in range(size)], {f"{i}" for i in range(size)}, bytes(size * 100)

    def _resize(self) -> object:
        buffer = bytearray()
        for _ in range(10):
            buffer += bytes(self._random.randrange(5_000))
        del buffer[self._random.randrange(len(buffer) + 1) :]
        return buffer

    def _generators(self) -> object:
        def numbers(depth: int) -> Iterator[list[int]]:
            yield [depth]
            if depth:
                yield from numbers(depth - 1)

        half_way = numbers(20)
        return [next(half_way) for _ in range(self._random.randrange(1, 20))], half_way

    def _exceptions(self) -> object:
        try:
            return {}[str(self.done)]
        except KeyError as error:
            return error

    def _code(self) -> object:
        names: dict[str, Callable[[int], list[int]]] = {}
        number = self._random.randrange(50)
        self.codes += 2  # of the text and of the function
        exec(f"def made_{number}(n):\n    return [{number}] * n\n", names)
        return names[f"made_{number}"](10) if self._random.random() < 0.9 else names

    def _without_gil(self) -> object:
        data = bytes([self._random.randrange(256)]) * 100_000
        compress = self._random.choice((zlib.compress, zlib.compress, zlib.compress, bz2.compress))
        return compress(data), hashlib.sha256(data).digest()

    def _cycles(self) -> object:
        ring: list[object] = [bytearray(100)]
        ring.append(ring)
        return None if self._random.random() < 0.9 else ring

    def _recursion(self, depth: int) -> object:
        return [depth, self._recursion(depth - 1) if depth else None]


class Operator:
    """Looks at the tracer and restarts it, all the time."""

    def __init__(self, seed: int, directory: Path) -> None:
        self.done: Counter[str] = Counter()
        self.dropped = 0
        self.most_memory = 0
        self._random = random.Random(seed)
        self._file = directory / "soak.mtrace"
        self._actions = [self._snapshot, self._file_round, self._clear, self._restart, self._look]

    def work(self, stop: threading.Event) -> None:
        while not stop.wait(self._random.random() * 0.02):
            (action,) = self._random.choices(self._actions, weights=(8, 1, 4, 2, 8))
            if action in (self._clear, self._restart):
                self.look_back()
            action()
            self.done[action.__name__.strip("_")] += 1

    def look_back(self) -> None:
        """Before an era ends: what it lost, and what it took."""
        self.dropped += memtrace._core.status()["dropped"]
        self.most_memory = max(self.most_memory, memtrace.get_memtrace_memory())

    def _snapshot(self) -> None:
        snapshot = memtrace.take_snapshot(blocks=self._random.random() < 0.5)
        snapshot.statistics(self._random.choice(("lineno", "filename", "traceback", "function")))

    def _file_round(self) -> None:
        snapshot = memtrace.take_snapshot()
        snapshot.dump(self._file)
        assert len(memtrace.Snapshot.load(self._file).traces) == len(snapshot.traces)

    def _clear(self) -> None:
        memtrace.clear_traces()

    def _restart(self) -> None:
        memtrace.stop()
        memtrace.start(self._random.choice((1, 5, 25, 100)))

    def _look(self) -> None:
        memtrace.get_traced_memory()
        memtrace.get_memtrace_memory()
        memtrace.get_object_traceback(self)
        memtrace.reset_peak()


class Forks:
    """A child about every second: it goes on tracing, alone, and its sums are right."""

    def __init__(self) -> None:
        self.done = 0
        self.failures: list[str] = []

    def work(self, stop: threading.Event) -> None:
        while not stop.wait(1):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of fork() with threads: that is the point
                child = os.fork()
            if child == 0:
                self._child()
            self.done += 1
            self._wait(child)

    def _child(self) -> None:
        status = 1
        try:
            signal.alarm(CHILD_SECONDS)
            gc.disable()
            kept = [bytearray(i) for i in range(1000)]
            if memtrace.is_tracing():  # the operator may be just restarting it
                assert memtrace.get_object_traceback(kept[0]) is not None
                assert_sums_agree()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _wait(self, child: int) -> None:
        _, status = os.waitpid(child, 0)
        if status != 0:
            self.failures.append(f"child {self.done}: {os.waitstatus_to_exitcode(status)} (-14: it hung)")


def run(seconds: float, threads: int, seed: int) -> list[str]:
    """Soak; the checks that failed."""
    failures: list[str] = []
    stop = threading.Event()
    with TemporaryDirectory() as directory:
        workers = [Worker(seed + i) for i in range(threads)]
        operator, forks = Operator(seed - 1, Path(directory)), Forks()

        def guarded(work: Callable[[threading.Event], None]) -> None:
            try:
                work(stop)
            except BaseException:
                failures.append(traceback.format_exc())
                stop.set()

        before = memtrace.get_memtrace_memory()
        memtrace.start(25)
        running = [threading.Thread(target=guarded, args=(part.work,)) for part in (*workers, operator, forks)]
        for thread in running:
            thread.start()
        stop.wait(seconds)
        stop.set()
        for thread in running:
            thread.join()

    failures += forks.failures
    try:
        assert_sums_agree()
    except AssertionError as error:
        failures.append(f"the sums differ: {error}")
    operator.look_back()
    if operator.dropped:
        failures.append(f"{operator.dropped} events were dropped")
    traced, _ = memtrace.get_traced_memory()
    actions, codes = sum(worker.done for worker in workers), sum(worker.codes for worker in workers)
    memtrace.stop()
    left, allowed = memtrace.get_memtrace_memory() - before, len(running) * STATE_BYTES
    if left > allowed:
        failures.append(f"stop() leaves {left:,} bytes of tracer memory, allowed {allowed:,}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"churn: Python {sys.version.split()[0]}, {seconds:.0f} s, {threads} threads, seed {seed}")
    print(f"  {actions:,} actions, {codes:,} codes generated, {forks.done} forks, {dict(operator.done)}")
    print(f"  {traced:,} bytes traced at the end, {operator.dropped} events dropped in all")
    print(f"  tracer memory {operator.most_memory:,} bytes at most, {left:+,} after stop()")
    print(f"  resident memory of the process {peak:,} KiB at most", flush=True)
    return failures
