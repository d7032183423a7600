"""Run a program under one of the tracers and write down what it found.

python under_tracer.py (memtrace | tracemalloc) RESULT.json PROGRAM [ARGUMENT...]
"""

from __future__ import annotations

# Whatever either tracer imports is imported in both runs, before tracing begins.
import fnmatch
import json
import linecache
import pickle
import runpy
import sys
import tracemalloc

import memtrace

# Modules that programs replace by stubs of their own would be replaced for the report too.
_LOADED = (fnmatch, linecache, pickle)


def main() -> None:
    """Trace the program named in sys.argv."""
    _, name, result, *sys.argv = sys.argv
    tracer = {"memtrace": memtrace, "tracemalloc": tracemalloc}[name]
    status: object = 0
    tracer.start()
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
    except SystemExit as error:
        status = error.code
    size, peak = tracer.get_traced_memory()
    snapshot = tracer.take_snapshot()
    tracer.stop()
    statistics = snapshot.statistics("lineno")
    report = {
        "status": status,
        "size": size,
        "peak": peak,
        "blocks": sum(statistic.count for statistic in statistics),
        "lines": [[str(statistic.traceback[0]), statistic.size] for statistic in statistics[:20]],
    }
    with open(result, "w") as file:  # noqa: PTH123  (pathlib would be one more import)
        json.dump(report, file)


if __name__ == "__main__":
    main()
