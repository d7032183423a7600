"""Programs that generate code: identical code must cost nothing, distinct code little, and clear_traces() gives it back."""

from __future__ import annotations

import gc
import sys
from types import CodeType

import memtrace

# Growth that is allowed over nine tenths of a run of identical codes.
FLAT_BYTES = 64 * 1024
DISTINCT_BYTES = 600
DISTINCT_TEXTS = 100_000

SOURCE = """
def handle(request):
    values = [request, str(request)]
    return {key: [key] for key in values}
kept = handle({argument})
"""


def run_once(code: CodeType) -> int:
    """Run it; how many code objects that took."""
    exec(code, {})
    return count(code)


def count(code: CodeType) -> int:
    return 1 + sum(count(inner) for inner in code.co_consts if isinstance(inner, CodeType))


def run(runs: int) -> list[str]:
    """Generate, run and collect `runs` identical texts, then distinct ones; the checks that failed."""
    failures: list[str] = []
    memtrace.start(25)

    source = SOURCE.replace("{argument}", "1000")
    after_warm_up = 0
    for number in range(runs):
        run_once(compile(source, "<generated>", "exec"))
        if number == runs // 10:
            gc.collect()
            after_warm_up = memtrace.get_memtrace_memory()
    gc.collect()
    growth = memtrace.get_memtrace_memory() - after_warm_up
    print(f"codes: Python {sys.version.split()[0]}")
    print(
        f"  {runs:,} times the same code: tracer memory {after_warm_up:,} bytes after a tenth, {growth:+,} at the end"
    )
    if growth > FLAT_BYTES:
        failures.append(f"identical code makes tracer memory grow: {growth:,} bytes, allowed {FLAT_BYTES:,}")

    memtrace.clear_traces()
    texts = min(runs, DISTINCT_TEXTS)
    codes = 0
    before = memtrace.get_memtrace_memory()
    for number in range(texts):
        text = SOURCE.replace("{argument}", str(number)).replace("handle", f"handle_{number}")
        codes += run_once(compile(text, "<generated>", "exec"))
    gc.collect()
    after = memtrace.get_memtrace_memory()
    each = (after - before) / codes
    print(f"  {codes:,} distinct codes: {each:.0f} bytes each, {after:,} in all", end="")
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
