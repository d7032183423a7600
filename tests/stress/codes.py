"""Programs that generate code: identical code must cost nothing, distinct code little, and clear_traces() gives it back."""

from __future__ import annotations

import gc
import sys
from types import CodeType

import memtrace

# Growth that is allowed over nine tenths of a run of identical codes.
FLAT_BYTES = 64 * 1024
DISTINCT_BYTES = 600
DISTINCT_CODES = 100_000

SOURCE = """
def handle(request):
    values = [request, str(request)]
    return {key: [key] for key in values}
kept = handle({argument})
"""


def run_once(code: CodeType) -> None:
    exec(code, {})


def run(count: int) -> list[str]:
    """Generate, run and collect `count` identical codes, then distinct ones; the checks that failed."""
    failures: list[str] = []
    memtrace.start(25)

    source = SOURCE.replace("{argument}", "1000")
    after_warm_up = 0
    for number in range(count):
        run_once(compile(source, "<generated>", "exec"))
        if number == count // 10:
            gc.collect()
            after_warm_up = memtrace.get_memtrace_memory()
    gc.collect()
    growth = memtrace.get_memtrace_memory() - after_warm_up
    print(f"codes: Python {sys.version.split()[0]}")
    print(
        f"  {count:,} times the same code: tracer memory {after_warm_up:,} bytes after a tenth, {growth:+,} at the end"
    )
    if growth > FLAT_BYTES:
        failures.append(f"identical code makes tracer memory grow: {growth:,} bytes, allowed {FLAT_BYTES:,}")

    memtrace.clear_traces()
    distinct = min(count, DISTINCT_CODES)
    before = memtrace.get_memtrace_memory()
    for number in range(distinct):
        run_once(
            compile(
                SOURCE.replace("{argument}", str(number)).replace("handle", f"handle_{number}"), "<generated>", "exec"
            )
        )
    gc.collect()
    after = memtrace.get_memtrace_memory()
    # Each text makes three code objects: the module's, the function's, and before 3.12 the comprehension's.
    each = (after - before) / distinct
    print(f"  {distinct:,} distinct codes: {each:.0f} bytes each, {after:,} in all", end="")
    memtrace.clear_traces()
    left = memtrace.get_memtrace_memory()
    print(f"; after clear_traces() {left:,} ({before:,} before)", flush=True)
    if each > DISTINCT_BYTES:
        failures.append(f"distinct code costs {each:.0f} bytes each, allowed {DISTINCT_BYTES}")
    if left - before > FLAT_BYTES:
        failures.append(f"clear_traces() leaves {left - before:,} bytes")
    status = memtrace._core.status()
    if status["dropped"]:
        failures.append(f"{status['dropped']} events were dropped")
    memtrace.stop()
    return failures
