"""Those who look at the tracer, restart it and fork, while others allocate."""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from sums import assert_sums_agree

import memtrace

CHILD_SECONDS = 60


class Operator:
    """Looks at the tracer and restarts it, all the time."""

    def __init__(self, seed: int, file: Path) -> None:
        self.done: Counter[str] = Counter()
        self.dropped = 0
        self.most_memory = 0
        self._random = random.Random(seed)
        self._file = file
        self._actions = [self._snapshot, self._file_round, self._clear, self._restart, self._look]

    def work(self, stop: threading.Event) -> None:
        while not stop.wait(self._random.random() * 0.02):
            (action,) = self._random.choices(self._actions, weights=(8, 1, 4, 4, 8))
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


class Looker(Operator):
    """Looks while another one restarts the tracer; ends eras, too."""

    def work(self, stop: threading.Event) -> None:
        while not stop.wait(self._random.random() * 0.05):
            action = self._random.choice((self._snapshot, self._snapshot, self._file_round, self._look, self._clear))
            try:
                action()
            except RuntimeError as error:
                # As Python says it, or, when it was stopped at the last moment, as the core does.
                assert "must be tracing" in str(error) or "while not tracing" in str(error), error
            self.done[action.__name__.strip("_")] += 1


class Forks:
    """A child about every second: it goes on tracing, alone, and its sums are right.

    `alone` keeps those out who must not be at work meanwhile.
    """

    def __init__(self, alone: Callable[[], AbstractContextManager[None]]) -> None:
        self.done = 0
        self._alone = alone
        self.failures: list[str] = []

    def work(self, stop: threading.Event) -> None:
        while not stop.wait(1):
            with warnings.catch_warnings(), self._alone():
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
            if memtrace.is_tracing():  # the operator may be just restarting it
                self._check()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)

    def _check(self) -> None:
        for nframe in (3, 25):
            kept = [bytearray(i) for i in range(1000)]
            assert memtrace.get_object_traceback(kept[0]) is not None
            memtrace.track(7001, 1, 2**40)
            assert_sums_agree()
            blocks = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, 7001)])
            assert sum(trace.size for trace in blocks.traces) >= 2**40, "what was tracked is not there"
            memtrace.untrack(7001, 1)
            memtrace.stop()
            memtrace.start(nframe)

    def _wait(self, child: int) -> None:
        _, status = os.waitpid(child, 0)
        if status != 0:
            self.failures.append(f"child {self.done}: {os.waitstatus_to_exitcode(status)} (-14: it hung)")
