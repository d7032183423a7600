"""memtrace in the place of tracemalloc."""

from __future__ import annotations

import sys


def install_as_tracemalloc() -> None:
    """Make ``import tracemalloc`` give memtrace, from now on and in the whole process.

    What looks for allocations through tracemalloc then finds those that memtrace traces:
    ResourceWarning and pytest, for example, show where a leaked resource was allocated. A module
    that imported tracemalloc before keeps it. Raises RuntimeError while tracemalloc itself traces.
    Calling it again changes nothing.
    """
    import _tracemalloc

    if _tracemalloc.is_tracing():
        raise RuntimeError("tracemalloc is tracing: stop it before memtrace takes its place")
    sys.modules["tracemalloc"] = sys.modules["memtrace"]
