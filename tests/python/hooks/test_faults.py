"""Memory of the tracer's own that cannot be had: the traced program goes on as if nothing were, and what is lost is counted."""

from __future__ import annotations

import pytest
from building import Run

PREAMBLE = """
import allocations, memtrace, unattached
from sums import assert_sums_agree
from memtrace import _core

def program():
    "Some of everything; its result does not depend on who looks."
    result = []
    def deeper(depth):
        if depth: return deeper(depth - 1)
        return [bytearray(i) for i in range(20)]
    for depth in (0, 3, 40, 200):
        result.append(sum(map(len, deeper(depth))))
    for number in range(5):
        namespace = {}
        exec(compile(f"def f(x):\\n    return [x] * {number}", f"made{number}.py", "exec"), namespace)
        result.append(namespace["f"](1))
    for domain in range(4):
        for size in (1, 100, 40_000, 5):
            result.append(allocations.realloc(domain, domain, size))
        result.append(allocations.calloc(9, domain, 10, 10))
        allocations.free(9, domain)
        allocations.free(domain, domain)
    for number in range(400):
        memtrace.track(7001 + number % 5, number * 4096, number)
        if number % 3: memtrace.untrack(7001 + number % 5, number * 4096)
    unattached.here(300, 1, False)
    unattached.here(300, 2, True)
    result.append(unattached.held())
    unattached.release(False)
    result.append({str(i): i for i in range(2000)}["1999"])
    return result

expected = program()
assert program() == expected
"""


@pytest.mark.parametrize("sticky", [False, True])
def test_every_allocation_fails_in_turn(sticky: bool, run: Run) -> None:
    """Once, or all from then on: from the first of the tracer's own allocations to the last that the program causes."""
    output = run(
        PREAMBLE
        + f"""
sticky = {sticky}
nth = refused = lost = 0
while True:
    # Everything anew, so that every table is made under the fault.
    memtrace.stop()
    _core._fail_allocations(nth, sticky)
    try:
        memtrace.start(25)
    except MemoryError:
        refused += 1
        assert not memtrace.is_tracing()
        assert program() == expected
        assert _core._allow_allocations() > 0
        nth += 1
        continue
    assert program() == expected
    failed = _core._allow_allocations()
    status = _core.status()
    assert status["traced_bytes"] == status["bytes"], (nth, status)
    if failed == 0:
        assert status["dropped"] == 0
        break
    lost += status["dropped"] > 0
    # Memory is there again: what comes now is traced as ever.
    kept = bytearray(100_000)
    traceback = memtrace.get_object_traceback(kept)
    assert traceback is not None and traceback[-1].filename == "<string>", nth
    before = _core.status()["dropped"]
    assert program() == expected
    assert _core.status()["dropped"] == before, nth
    assert_sums_agree()
    memtrace.clear_traces()
    assert _core.status()["dropped"] == 0
    nth += 1
assert refused > 0 and lost > 0, (refused, lost)
print(nth)
"""
    )
    assert int(output) > 15


def test_a_new_era_that_cannot_be_had(run: Run) -> None:
    """clear_traces() says so and changes nothing."""
    run(
        PREAMBLE
        + """
memtrace.start(5)
kept = bytearray(1000)
traceback = memtrace.get_object_traceback(kept)
for nth in range(100):
    _core._fail_allocations(nth, True)
    try:
        memtrace.clear_traces()
    except MemoryError:
        _core._allow_allocations()
        assert memtrace.get_object_traceback(kept) == traceback
        assert_sums_agree()
    else:
        _core._allow_allocations()
        break
else:
    raise AssertionError("it never succeeded")
assert nth > 0
assert memtrace.get_object_traceback(kept) is None
assert_sums_agree()
"""
    )


def test_threads_without_memory(run: Run) -> None:
    """A thread whose state cannot be had is not traced; others are, and the next thread is again."""
    run(
        PREAMBLE
        + """
import threading
memtrace.start(5)
def work():
    results.append(program())
results = []
_core._fail_allocations(0, True)
threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads: thread.start(); thread.join()
unattached.start(2, 1, True)
unattached.stop()
failed = _core._allow_allocations()
assert failed > 0
assert results == [expected] * 3
assert_sums_agree()
def trace():
    kept = bytearray(10)
    results.append(memtrace.get_object_traceback(kept) is not None)
thread = threading.Thread(target=trace)
thread.start()
thread.join()
assert results[-1] is True
"""
    )


def test_a_child_without_memory(run: Run) -> None:
    run(
        PREAMBLE
        + """
import os
memtrace.start(5)
kept = [bytearray(1000) for _ in range(100)]
_core._fail_allocations(0, True)
child = os.fork()
if child == 0:
    same = program() == expected
    _core._allow_allocations()
    assert_sums_agree()
    os._exit(0 if same else 1)
assert os.waitpid(child, 0)[1] == 0
assert program() == expected
_core._allow_allocations()
assert_sums_agree()
""",
        "-W",
        "ignore::DeprecationWarning",
    )
