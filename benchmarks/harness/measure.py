"""Times one workload in this process, under one mode, and says what it did."""

import gc
import random
import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.harness import procmem
from benchmarks.harness.fingerprint import fingerprint
from benchmarks.harness.modes import Evidence, Mode
from benchmarks.harness.return_locals import return_locals

RANDOM_SEED = 20


@dataclass(frozen=True)
class Measurement:
    """What one run took and what it computed.

    ``outcome`` must be equal in every mode: digests of the value returned, of the workload's
    final locals and of the state of `random`. ``collections``, how often the garbage collector
    ran, counts the objects that the interpreter made meanwhile; it must be nearly equal.
    """

    seconds: float
    cpu_seconds: float
    resident_kib: int
    peak_resident_kib: int
    outcome: dict[str, str]
    collections: int
    evidence: Evidence

    def as_report(self) -> dict[str, Any]:
        """Return the measurement as plain data."""
        return asdict(self)


def measure(
    mode: Mode,
    workload: Callable[[], object],
    *,
    timed_function: Callable[..., object] | None = None,
    unstable_locals: Collection[str] = (),
) -> Measurement:
    """Run *workload* once under *mode*; only the workload itself is timed.

    *timed_function* is the function whose final locals count as part of the outcome, except
    *unstable_locals*, which differ from process to process. *mode* must be prepared.

    What exists before the workload is frozen out of the garbage collector: the tracers import
    different numbers of modules, which would make the collector run at different times and
    cost differently in each mode. The collection after the start sets the collector's counters
    to zero: a tracer may have made objects while it started.
    """
    random.seed(RANDOM_SEED)
    gc.collect()
    gc.freeze()
    procmem.reset_peak_resident()
    with return_locals(timed_function or workload) as final_locals:
        mode.start()
        gc.collect()
        collections = _collections()
        begin_cpu, begin = time.process_time(), time.perf_counter()
        value = workload()
        seconds, cpu_seconds = time.perf_counter() - begin, time.process_time() - begin_cpu
    collections = _collections() - collections
    resident, peak = procmem.resident_kib(), procmem.peak_resident_kib()
    evidence = mode.evidence()
    evidence |= mode.stop()
    outcome = {
        "value": fingerprint(value if timed_function is None else None),
        "locals": fingerprint({k: v for k, v in final_locals.items() if k not in unstable_locals}),
        "random": fingerprint(random.getstate()),
    }
    return Measurement(seconds, cpu_seconds, resident, peak, outcome, collections, evidence)


def _collections() -> int:
    return sum(generation["collections"] for generation in gc.get_stats())
