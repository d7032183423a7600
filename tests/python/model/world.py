"""The tracer and the model of it side by side: what operations are made of, and the comparison of both."""

from __future__ import annotations

import importlib
import os
import signal
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Hashable
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from interpreter import HAS_GIL
from places import CALLERS, FOLDER, LEAVES, ONCE, Called, Stack, call_at
from reference import GROUPINGS, Groups, Reference, Row, grouped

import memtrace

SECONDS = 60
# What calling leaves behind: the numbers that were asked for. Without a GIL, also a chunk of the list of objects that
# another thread has to let go of, 2 KiB.
NOISE = 1024 if HAS_GIL else 4096
# What the deepest stack takes, in which some frames are generators'.
STACK = 32 * 1024
# Of each thread that allocates or frees without the GIL, as all do where there is none, the peak may not know 64 KiB.
PENDING = 4 * 64 * 1024


class DifferenceError(Exception):
    """The tracer says something else than the model."""


class Kept(NamedTuple):
    """A snapshot and what must be in it."""

    snapshot: memtrace.Snapshot
    rows: list[Row]


class Worker:
    """A thread that does what it is handed, while whoever hands it over waits."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self.call(lambda: None)

    def call(self, task: Callable[[], Any]) -> Any:
        self._tasks.put(task)
        result, failure = self._results.get()
        if failure is not None:
            raise failure
        return result

    def end(self) -> None:
        self._tasks.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            try:
                outcome = task(), None
            except BaseException as failure:
                outcome = None, failure
            del task  # holds what was handed over
            self._results.put(outcome)
            del outcome


class Operation:
    """One step of both, the tracer and the model."""

    def apply(self, world: World) -> None:
        raise NotImplementedError


class World:
    """Both, in a process of their own."""

    def __init__(self) -> None:
        # There once the tests run.
        self.allocations = importlib.import_module("allocations")
        self.reporter = importlib.import_module("reporter_model")
        self.reference = Reference(memtrace.get_traceback_limit())
        self.slots: dict[int | None, tuple[int, int]] = {}  # addresses and sizes
        self.objects: dict[int, bytearray] = {}
        self.kept: list[Kept] = []
        # In which the rest of the sequence went on, without it.
        self.is_over = False
        self._called: Called | None = None
        self._workers: dict[int, Worker] = {}
        # Where something was traced with `sys.settrace()` or `sys.monitoring`, if long ago, each code object that runs for
        # the first time after it gets what instrumentation needs, and keeps it: 128 bytes.
        for leaf in LEAVES:
            call_at(CALLERS + ONCE + leaf, int, ())

    # --- doing

    def call(self, at: str, thread: int, call: Callable[..., Any], *arguments: object) -> tuple[Any, Stack]:
        """Call it at that place and in that thread; the result, and the stack of the call."""
        if thread != 0 and thread not in self._workers:
            self._workers[thread] = Worker()
        call_there = (lambda task: task()) if thread == 0 else self._workers[thread].call
        self._called = call_there(lambda: call_at(at, call, arguments))
        return self._called.result, self._called.stack

    def apply(self, operation: Operation) -> None:
        """Do it. The total has changed as the model's has, and the peak went along."""
        self._called = None
        modelled = self.reference.total()
        operation.apply(self)
        if self._called is None:
            return
        (before, peak_before), (after, peak) = self._called.before, self._called.after
        expected = before + self.reference.total() - modelled
        self.require(abs(after - expected) <= NOISE, f"traced memory {before:,} -> {after:,}, not {expected:,}")
        highest = max(peak_before, before, after)
        self.require(
            -PENDING <= peak - highest <= PENDING + STACK, f"peak {peak_before:,} -> {peak:,}, not {highest:,}"
        )

    def settle(self) -> None:
        """Let every thread run: where there is no GIL, an object that another lets go of dies in the thread that made it."""
        for worker in self._workers.values():
            worker.call(lambda: None)

    def reset_peak(self) -> None:
        memtrace.reset_peak()
        current, peak = memtrace.get_traced_memory()
        self.require(current <= peak <= current + NOISE, f"a peak of {peak:,} after a reset at {current:,}")

    def end_thread(self, thread: int) -> None:
        if thread in self._workers:
            self._workers.pop(thread).end()

    def fork(self) -> None:
        """Go on in a child, which has this thread alone; the parent waits for it and looks once more."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            signal.alarm(SECONDS)
            self._workers = {}
            return
        _, status = os.waitpid(child, 0)
        self.is_over = True
        if status != 0:
            raise DifferenceError(f"the child ended with {os.waitstatus_to_exitcode(status)}")
        self.look()

    # --- comparing

    @staticmethod
    def require(condition: bool, otherwise: str) -> None:
        if not condition:
            raise DifferenceError(otherwise)

    @staticmethod
    def same(what: str, found: object, expected: object) -> None:
        if found != expected:
            raise DifferenceError(f"{what}: {found!r}, not {expected!r}")

    def look(self) -> None:
        """Compare all that both know."""
        reference = self.reference
        self.same("tracing", memtrace.is_tracing(), reference.tracing)
        self.same("limit", memtrace.get_traceback_limit(), reference.limit)
        for number, kept in self.objects.items():
            self._compare_traceback(kept, reference.frames(0, ("object", number)))
        if not reference.tracing:
            self.same("traced memory", memtrace.get_traced_memory(), (0, 0))
            return
        status = memtrace._core.status()
        self.same("sums", status["traced_bytes"], status["bytes"])
        self.same("dropped", status["dropped"], 0)
        self.compare_snapshot(self.take())

    def take(self) -> Kept:
        """A snapshot of the known files, with the model's rows. What else the interpreter needs there is believed."""
        snapshot = memtrace.take_snapshot().filter_traces([memtrace.Filter(True, FOLDER + "*")])
        believed = [row for row in _rows(snapshot) if _is_noise(row)]
        return Kept(snapshot, believed + [row for row in self.reference.live.values() if not _is_noise(row)])

    def compare_snapshot(self, kept: Kept) -> None:
        snapshot, rows = kept
        found, expected = Counter(_rows(snapshot)), Counter(rows)
        surplus, missing = list((found - expected).elements()), list((expected - found).elements())
        self.require(not surplus and not missing, f"blocks: surplus {_short(surplus)}, missing {_short(missing)}")
        for key_type, cumulative in GROUPINGS:
            statistics = _groups(snapshot.statistics(key_type, cumulative), key_type)
            self.same(f"statistics by {key_type}", statistics, grouped(rows, key_type, cumulative))

    def compare_difference(self, old: Kept, new: Kept) -> None:
        for key_type in ("lineno", "traceback"):
            before, after = grouped(old.rows, key_type), grouped(new.rows, key_type)
            expected = {}
            for key in before.keys() | after.keys():
                (size, count), (old_size, old_count) = after.get(key, (0, 0)), before.get(key, (0, 0))
                expected[key] = size, count, size - old_size, count - old_count
            differences = new.snapshot.compare_to(old.snapshot, key_type)
            found = {
                _key(each, key_type): (each.size, each.count, each.size_diff, each.count_diff) for each in differences
            }
            self.same(f"differences by {key_type}", found, expected)

    def compare_file(self, kept: Kept) -> None:
        with TemporaryDirectory() as directory:
            file = Path(directory) / "model.mtrace"
            kept.snapshot.dump(file)
            self.compare_snapshot(Kept(memtrace.Snapshot.load(file), kept.rows))

    def _compare_traceback(self, found: object, expected: Stack | None) -> None:
        traceback = memtrace.get_object_traceback(found)
        frames = None if traceback is None else tuple((frame.filename, frame.lineno) for frame in traceback)
        self.same("traceback of an object", frames, expected)


def _is_noise(row: Row) -> bool:
    """Whether a block of the known files is of a size that no operation asks for."""
    return row.domain == 0 and 0 < row.size < 2**20 and row.size % 2 == 0


def _rows(snapshot: memtrace.Snapshot) -> list[Row]:
    return [
        Row(
            trace.domain,
            trace.size,
            tuple((frame.filename, frame.lineno) for frame in trace.traceback),
            trace.traceback.total_nframe,
        )
        for trace in snapshot.traces
    ]


def _key(statistic: memtrace.Statistic | memtrace.StatisticDiff, key_type: str) -> Hashable:
    if key_type == "domain":
        return memtrace._domains._domain_of(statistic.key)
    frames = tuple((frame.filename, frame.lineno) for frame in statistic.traceback)
    return frames if key_type == "traceback" else frames[0]


def _groups(statistics: list[memtrace.Statistic], key_type: str) -> Groups:
    return {_key(each, key_type): (each.size, each.count) for each in statistics}


def _short(rows: list[Row]) -> str:
    shown = [f"{row.size} in {row.domain} at {row.frames[-3:]} of {row.total_nframe}" for row in rows[:3]]
    return f"{len(rows)} {shown}"
