"""tracemalloc beside memtrace: in whatever order they start and stop, each reports what it reports alone."""

from __future__ import annotations

import ast
import itertools

from building import Run

ALONE = """
import tracemalloc, memtrace, workload
workload.deeper
{start}
kept = workload.work()
print({{{tracer!r}: workload.lines({tracer})}})
"""
BOTH = """
import sys, tracemalloc, memtrace, workload
from sums import assert_sums_agree
tracers = {{"memtrace": memtrace, "tracemalloc": tracemalloc}}
first, second, third, fourth = (tracers[name] for name in {order!r})
if not first.is_tracing(): first.start(3)
if not second.is_tracing(): second.start(3)
kept = workload.work()
alone = {alone!r}
found = {{name: workload.lines(tracer) for name, tracer in tracers.items()}}
assert workload.agree(found["tracemalloc"], alone["tracemalloc"]), (found, alone)
if first is tracemalloc:
    assert workload.agree(found["memtrace"], alone["memtrace"]), (found, alone)
else:
    # What tracemalloc, hooked above, keeps for itself are blocks like any other.
    counts = {{line: (count, size) for line, count, size in found["memtrace"]}}
    assert all(counts[line] > (count, size) for line, count, size in alone["memtrace"]), (found, alone)
for tracer in (memtrace, tracemalloc):
    made = bytearray(1000)
    assert tracer.get_object_traceback(made)[-1].lineno == {line}
assert_sums_agree()
third.stop()
more = bytearray(5000)
assert third.get_object_traceback(more) is None
before = fourth.get_traced_memory()[0]
del kept
workload.release()
if third is not first or third is memtrace:
    # The other goes on alone, and sees the blocks of both times go.
    assert fourth.get_object_traceback(more) is not None
    assert before - fourth.get_traced_memory()[0] > 1_000_000
# Else tracemalloc, which was hooked below, has taken away what was above.
if fourth is memtrace: assert_sums_agree()
fourth.stop()
assert memtrace.get_traced_memory() == tracemalloc.get_traced_memory() == (0, 0)
# And again, after both have gone.
memtrace.start(25)
workload.deeper(10)
assert_sums_agree()
"""
LINE = BOTH[: BOTH.index("    made =")].count("\n") + 1
ORDERS = [
    (*starts, *stops)
    for starts in itertools.permutations(("memtrace", "tracemalloc"))
    for stops in itertools.permutations(("memtrace", "tracemalloc"))
]


def test_each_reports_what_it_reports_alone(run: Run) -> None:
    alone: dict[str, list[object]] = {}
    for tracer in ("memtrace", "tracemalloc"):
        alone |= ast.literal_eval(run(ALONE.format(start=f"{tracer}.start(3)", tracer=tracer)))
    assert all(len(lines) >= 5 for lines in alone.values())
    for order in ORDERS:
        program = BOTH.format(order=order, line=LINE, alone=alone)
        run(program)
        run(program, **{f"PYTHON{order[0].upper()}": "3"})
