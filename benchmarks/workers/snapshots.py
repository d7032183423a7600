"""Worker: the snapshot operations of one tracer on a program with many live blocks."""

import functools
import gc
import importlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import procmem
from benchmarks.harness.process import read_request, write_report
from benchmarks.programs.live_blocks import PACKAGE, LiveBlocks

NFRAME: Final = 25

GROUPINGS: Final = {
    "lineno": ("lineno", False),
    "traceback": ("traceback", False),
    "filename": ("filename", False),
    "cumulative": ("lineno", True),
}


class Operations:
    """Times the operations of ``tracemalloc`` or of any module with its interface.

    The comparison works on snapshots that nothing has grouped before, so a tracer that remembers
    groups gains nothing from the operations that ran earlier.
    """

    def __init__(self, tracer: Any, program: LiveBlocks, scratch: Path) -> None:
        """*tracer* must be tracing and the program's blocks be live."""
        self._tracer = tracer
        self._program = program
        self._file = scratch / "snapshot"
        self.seconds: dict[str, float] = {}
        self.results: dict[str, Any] = {}
        self.size_kib: dict[str, int] = {}

    def run(self) -> None:
        """Take the snapshots, stop the tracer, and run the operations without its overhead."""
        snapshot = self._first_snapshot()
        before = self._tracer.take_snapshot()
        self._program.change()
        after = self._tracer.take_snapshot()
        self._tracer.stop()
        self._statistics(snapshot)
        self._filter(snapshot)
        self._compare(before, after)
        del before, after
        self._dump_and_load(snapshot)

    def _first_snapshot(self) -> Any:
        """Take a snapshot and group it once while tracing, as a program that watches itself does.

        A tracer that puts work off until somebody looks at the snapshot does it here.
        """
        gc.collect()
        before = procmem.resident_kib()
        procmem.reset_peak_resident()
        snapshot = self._timed("take_snapshot", self._tracer.take_snapshot)
        self.size_kib["added by take_snapshot"] = procmem.peak_resident_kib() - before
        self._timed("first statistics, tracing", lambda: snapshot.statistics("filename"))
        added = procmem.peak_resident_kib() - before
        self.size_kib["added by take_snapshot and first statistics"] = added
        return snapshot

    def _statistics(self, snapshot: Any) -> None:
        for name, key_and_sums in GROUPINGS.items():
            statistics = functools.partial(snapshot.statistics, *key_and_sums)
            self.results[name] = _summary(self._timed(f"statistics {name}", statistics))

    def _filter(self, snapshot: Any) -> None:
        folder = self._program.folder
        filters = [
            self._tracer.Filter(True, f"{folder}/*"),
            self._tracer.Filter(False, f"{folder}/module_00.py"),
        ]
        kept = self._timed("filter_traces", lambda: snapshot.filter_traces(filters))
        self.results["filtered"] = _summary(kept.statistics("lineno"))

    def _compare(self, before: Any, after: Any) -> None:
        differences = self._timed("compare_to", lambda: after.compare_to(before, "lineno"))
        self.results["differences"] = _summary(differences)

    def _dump_and_load(self, snapshot: Any) -> None:
        self._timed("dump", lambda: snapshot.dump(str(self._file)))
        self.size_kib["dumped file"] = self._file.stat().st_size // 1024
        loaded = self._timed("load", lambda: self._tracer.Snapshot.load(str(self._file)))
        self.results["loaded"] = _summary(loaded.statistics("lineno"))

    def _timed(self, name: str, operation: Callable[[], Any]) -> Any:
        begin = time.perf_counter()
        result = operation()
        self.seconds[name] = time.perf_counter() - begin
        return result


def _summary(groups: Sequence[Any]) -> dict[str, Any]:
    """Return totals and the first of the groups that lie in the program's own files.

    What lies outside, the benchmark and the tracer itself, differs from tracer to tracer.
    """
    own = [group for group in groups if PACKAGE in group.traceback[-1].filename]
    first = own[0].traceback[-1]
    return {
        "groups": len(own),
        "count": sum(group.count for group in own),
        "size": sum(group.size for group in own),
        "growth": sum(getattr(group, "size_diff", 0) for group in own),
        "first": f"{Path(first.filename).name}:{first.lineno}",
    }


def main() -> None:
    """Build the program under the tracer named in the request, then time its operations."""
    request = read_request()
    tracer = importlib.import_module(request["tracer"])
    scratch = Path(request["scratch"])
    program = LiveBlocks(scratch, blocks=request["blocks"], stacks=request["stacks"])
    tracer.start(NFRAME)
    program.hold()
    operations = Operations(tracer, program, scratch)
    operations.run()
    write_report(
        request,
        {
            "seconds": operations.seconds,
            "size_kib": operations.size_kib,
            "results": operations.results,
        },
    )


if __name__ == "__main__":
    main()
