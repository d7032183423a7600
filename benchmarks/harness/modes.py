"""The ways in which a workload is run: bare, or under one of the tracers.

A mode lives in a worker process: `prepare` imports, `start` is called just before the
workload, `evidence` while it is still tracing, `stop` last. `doubts` judges the evidence in
the parent process. One mode per process; not thread-safe.
"""

import contextlib
import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.floor import load as load_floor

Evidence = dict[str, Any]


class Mode(ABC):
    """One way to run a workload."""

    label: str
    module = ""
    """The module outside the standard library that must be importable; empty when there is none."""

    def prepare(self, scratch: Path) -> None:
        """Import what `start` needs; *scratch* is a folder for files."""

    def start(self) -> None:
        """Begin tracing."""

    def evidence(self) -> Evidence:
        """Return facts that show that the tracer did trace; called before `stop`."""
        return {}

    def stop(self) -> Evidence:
        """End tracing and return facts known only then."""
        return {}

    @abstractmethod
    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        """Return what in *evidence* speaks against this run; empty when it counts."""


class Bare(Mode):
    """The interpreter alone: what every ratio is relative to."""

    label = "bare"

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        return []


class Floor(Mode):
    """Allocator hooks that pass every call through and record nothing."""

    label = "pass-through hooks"

    def prepare(self, scratch: Path) -> None:
        self._floor = load_floor()

    def start(self) -> None:
        self._floor.install()

    def evidence(self) -> Evidence:
        return {"installed": self._floor.is_installed()}

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        return [] if evidence.get("installed") else ["the hooks were not installed"]


class FloorWithObjects(Floor):
    """The floor of a tracer that also sees objects taken from free lists, as memtrace does."""

    label = "pass-through hooks and reference tracer"

    def start(self) -> None:
        super().start()
        self._floor.install_reference_tracer()

    def evidence(self) -> Evidence:
        return {"installed": self._floor.is_installed() and self._floor.has_reference_tracer()}


class Tracemalloc(Mode):
    """The standard library's tracer."""

    def __init__(self, nframe: int) -> None:
        self.nframe = nframe
        self.label = f"tracemalloc({nframe})"

    def prepare(self, scratch: Path) -> None:
        import tracemalloc

        self._tracemalloc = tracemalloc

    def start(self) -> None:
        self._tracemalloc.start(self.nframe)

    def evidence(self) -> Evidence:
        return {
            "tracing": self._tracemalloc.is_tracing(),
            "nframe": self._tracemalloc.get_traceback_limit(),
            "traced_peak": self._tracemalloc.get_traced_memory()[1],
            "tracer_bytes": self._tracemalloc.get_tracemalloc_memory(),
        }

    def stop(self) -> Evidence:
        self._tracemalloc.stop()
        return {}

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        return _tracing_doubts(evidence, self.nframe)


class Memtrace(Mode):
    """This project's tracer."""

    def __init__(self, nframe: int) -> None:
        self.nframe = nframe
        self.label = f"memtrace({nframe})"
        self.module = "memtrace"

    def prepare(self, scratch: Path) -> None:
        self._memtrace = importlib.import_module("memtrace")
        self._core = importlib.import_module("memtrace._core")

    def start(self) -> None:
        self._memtrace.start(self.nframe)

    def evidence(self) -> Evidence:
        return {
            "tracing": self._memtrace.is_tracing(),
            "nframe": self._memtrace.get_traceback_limit(),
            "traced_peak": self._memtrace.get_traced_memory()[1],
            "tracer_bytes": self._memtrace.get_memtrace_memory(),
            "status": self._core.status(),
        }

    def stop(self) -> Evidence:
        self._memtrace.stop()
        return {}

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        doubts = _tracing_doubts(evidence, self.nframe)
        status = evidence.get("status", {})
        doubts += [f"no {noun}" for noun in ("records", "nodes") if not status.get(noun)]
        if status.get("dropped") != 0:
            doubts.append(f"{status.get('dropped')} traces dropped")
        return doubts


class AskedMemtrace(Memtrace):
    """This project's tracer with what it can be asked for beyond traces: a mark, a label, two open peak regions."""

    def __init__(self, nframe: int) -> None:
        super().__init__(nframe)
        self.label = f"memtrace({nframe}), all questions"

    def start(self) -> None:
        self._memtrace.start(self.nframe)
        self._questions = contextlib.ExitStack()
        self._regions = [self._questions.enter_context(self._memtrace.peak()) for _ in range(2)]
        self._questions.enter_context(self._memtrace.label("asked"))
        self._mark = self._memtrace.mark()

    def evidence(self) -> Evidence:
        peaks = [region.peak for region in self._regions]
        self._questions.close()
        since = self._memtrace.take_snapshot().since(self._mark)
        churn = sum(each.allocated_count for each in since.churn("label"))
        return {**super().evidence(), "peaks": peaks, "churn": churn}

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        doubts = super().doubts(evidence)
        if not all(evidence.get("peaks", [0])):
            doubts.append("a region without a peak")
        if not evidence.get("churn"):
            doubts.append("no churn since the mark")
        return doubts


class Imported(Mode):
    """memtrace imported, and not tracing: what the resident memory of its samples is compared with."""

    label = "memtrace imported"
    module = "memtrace"

    def prepare(self, scratch: Path) -> None:
        importlib.import_module("memtrace")

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        return []


class SampledMemtrace(Memtrace):
    """This project's tracer, with samples of the blocks."""

    INTERVAL = "512 KiB"

    def __init__(self, nframe: int) -> None:
        super().__init__(nframe)
        self.label = f"memtrace({nframe}), {self.INTERVAL}"

    def start(self) -> None:
        self._memtrace.start(self.nframe, sample_interval=self.INTERVAL, seed=1)

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        # A program of a few small blocks may have no sample.
        doubts = [
            doubt for doubt in super().doubts(evidence) if doubt not in ("nothing traced", "no records", "no nodes")
        ]
        if evidence.get("status", {}).get("sample_interval") != 512 * 1024:
            doubts.append("does not sample")
        return doubts


class Memray(Mode):
    """memray with Python's allocators traced: writes every event to a file, keeps no table."""

    label = "memray"
    module = "memray"

    def prepare(self, scratch: Path) -> None:
        memray = importlib.import_module("memray")
        self._path = scratch / "memray.bin"
        self._tracker = memray.Tracker(str(self._path), trace_python_allocators=True)

    def start(self) -> None:
        self._tracker.__enter__()

    def stop(self) -> Evidence:
        self._tracker.__exit__(None, None, None)
        return {"file_bytes": self._path.stat().st_size}

    def doubts(self, evidence: Mapping[str, Any]) -> list[str]:
        return [] if evidence.get("file_bytes", 0) > 0 else ["an empty file"]


def _tracing_doubts(evidence: Mapping[str, Any], nframe: int) -> list[str]:
    doubts = []
    if evidence.get("tracing") is not True:
        doubts.append("is_tracing() was not True at the end of the workload")
    if evidence.get("nframe") != nframe:
        doubts.append(f"traceback limit {evidence.get('nframe')} instead of {nframe}")
    if not evidence.get("traced_peak"):
        doubts.append("nothing traced")
    return doubts


MODES: dict[str, Mode] = {
    "bare": Bare(),
    "floor": Floor(),
    "tracemalloc1": Tracemalloc(1),
    "tracemalloc25": Tracemalloc(25),
    "memray": Memray(),
    "memtrace1": Memtrace(1),
    "memtrace25": Memtrace(25),
    "asked25": AskedMemtrace(25),
    "imported": Imported(),
    "sampled": SampledMemtrace(25),
}

if sys.version_info >= (3, 13):
    MODES["floor_objects"] = FloorWithObjects()
