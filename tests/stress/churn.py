"""Everything at once: threads that allocate in every way, forks, guests, and somebody who restarts the tracer.

The time goes by in equal phases: each begins all threads anew, from the same seeds, and ends when they have. Then the live
blocks, the records' counters and the total must be one and the same sum, and what the tracer keeps after stop() must be
what it kept after the phases before.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import resource
import sys
import threading
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from extensions import compile_into, optional
from guests import Gate, Greenlets, Interpreters, Strangers, Tasks
from operators import Forks, Looker, Operator
from sums import assert_sums_agree

import memtrace
from workers import Arrays, Containers, Part, Reports, Slots

# How long a phase may take to end, beyond what it was given, before it counts as hanging.
PATIENCE = 300
# Phases are as long as there is time, but so many, and not many more.
FEWEST_PHASES, LONGEST_PHASE = 3, 60
# What the tracer keeps after stop() of each thread that there was: its state, for the next one.
STATE_BYTES = 160 * 1024
# Threads beyond those of the parts: of event loops, of interpreters.
MORE_THREADS = 16
# Growth that is allowed from the end of the second phase to the end of the last: some state of a thread, when more of them
# than ever happened to be there at once.
FLAT_BYTES = 4 * STATE_BYTES

PARTS = (
    "containers", "slots", "reports", "arrays", "tasks", "greenlets", "interpreters", "strangers", "operator", "looker", "forks"
)  # fmt: skip


class Phase:
    """All threads once, from their beginning to their end."""

    def __init__(self, names: set[str], threads: int, seed: int, directory: Path) -> None:
        self.failures: list[str] = []
        self.operator = Operator(seed - 1, directory / "operator.mtrace")
        self.looker = Looker(seed - 2, directory / "looker.mtrace")
        made: list[tuple[str, Any]] = [("containers", Containers(seed + number)) for number in range(threads)]
        gate = Gate()
        made += self._users_of_extensions(seed, gate)
        self.forks = Forks(gate.alone)
        made += [("operator", self.operator), ("looker", self.looker), ("forks", self.forks)]
        numpy, greenlet = optional("numpy"), optional("greenlet")
        if numpy is not None:
            made += [("arrays", Arrays(seed, numpy))]
        if greenlet is not None:
            made += [("greenlets", Greenlets(seed, greenlet))]
        self.parts = [(name, part) for name, part in made if name in names]
        self._stop = threading.Event()

    @staticmethod
    def _users_of_extensions(seed: int, gate: Gate) -> list[tuple[str, Any]]:
        allocations, unattached, reporter = map(importlib.import_module, ("allocations", "unattached", "reporter"))
        return [
            ("slots", Slots(seed, allocations, 0)),
            ("slots", Slots(seed + 1, allocations, Slots.SLOTS)),
            ("reports", Reports(seed, reporter, 7001)),
            ("reports", Reports(seed + 1, reporter, 7002)),
            ("tasks", Tasks(seed)),
            ("interpreters", Interpreters(seed, allocations, 1000, gate)),
            ("interpreters", Interpreters(seed + 1, allocations, 1000 + Interpreters.SLOTS, gate)),
            ("strangers", Strangers(seed, unattached)),
        ]

    def run(self, seconds: float) -> None:
        running = [threading.Thread(target=self._guarded, args=(part.work,), name=name) for name, part in self.parts]
        for thread in running:
            thread.start()
        self._stop.wait(seconds)
        self._stop.set()
        for thread in running:
            thread.join()
        self.failures += self.forks.failures

    def done(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        for name, part in self.parts:
            if isinstance(part, Part | Strangers | Forks):
                counted[name] += part.done
            else:
                counted.update(part.done)
        return counted

    def _guarded(self, work: Callable[[threading.Event], None]) -> None:
        try:
            work(self._stop)
        except BaseException:
            self.failures.append(traceback.format_exc())
            self._stop.set()


def check_at_rest(failures: list[str], operators: list[Operator]) -> int:
    """Nobody allocates: the sums agree, nothing was lost. What the tracer keeps after stop()."""
    gc.collect()
    try:
        assert_sums_agree()
    except AssertionError as error:
        failures.append(f"the sums differ: {error}")
    for operator in operators:
        operator.look_back()
        if operator.dropped:
            failures.append(f"{operator.dropped} events were dropped")
    memtrace.stop()
    gc.collect()
    return memtrace.get_memtrace_memory()


def run(seconds: float, threads: int, seed: int, names: set[str], traced: bool) -> list[str]:
    """Soak; the checks that failed. Not `traced`, it shows what the interpreter survives alone."""
    failures: list[str] = []
    done: Counter[str] = Counter()
    left: list[int] = []
    most = 0
    phases = max(FEWEST_PHASES, round(seconds / LONGEST_PHASE))
    if not traced:
        names = names - {"operator", "looker"}
    print(f"churn: Python {sys.version.split()[0]}, {seconds:.0f} s in {phases} phases, {threads} threads, seed {seed}")
    with TemporaryDirectory() as directory:
        compile_into(Path(directory))
        before = memtrace.get_memtrace_memory()
        for _ in range(phases):
            # A hang: stacks, and the end.
            faulthandler.dump_traceback_later(seconds / phases + PATIENCE, exit=True)
            if traced:
                memtrace.start(25)
            phase = Phase(names, threads, seed, Path(directory))
            phase.run(seconds / phases)
            failures += phase.failures
            done += phase.done()
            if traced:
                left.append(check_at_rest(failures, [phase.operator, phase.looker]) - before)
            most = max(most, phase.operator.most_memory)
            if failures:
                break
    faulthandler.cancel_dump_traceback_later()
    if traced:
        check_left(failures, left, len(phase.parts) + MORE_THREADS)
    print(f"  {dict(sorted(done.items()))}")
    print(f"  tracer memory {most:,} bytes at most; kept after stop(), by phase: {[f'{kept:,}' for kept in left]}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"  resident memory of the process {peak:,} KiB at most", flush=True)
    return failures


def check_left(failures: list[str], left: list[int], threads: int) -> None:
    """What is kept of the threads that there were is bounded by their number, and does not grow with the phases."""
    if max(left) > threads * STATE_BYTES:
        failures.append(f"stop() leaves {max(left):,} bytes of tracer memory, allowed {threads * STATE_BYTES:,}")
    growth = left[-1] - left[min(1, len(left) - 1)]
    if growth > FLAT_BYTES:
        failures.append(f"after stop() {growth:,} bytes more than after the second phase, allowed {FLAT_BYTES:,}")
