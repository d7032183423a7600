"""Runs CPython's own test_tracemalloc with memtrace in tracemalloc's place, and prints what came of each test as JSON.

A process of its own: the test module must find the stand-in when it is first imported.
"""

from __future__ import annotations

import io
import json
import sys
import unittest
from collections.abc import Iterator

import memtrace

# By class or by method, each for a reason that is not memtrace's to mend.
LEFT_OUT = {
    "TestCommandLine": "-X tracemalloc and PYTHONTRACEMALLOC are the interpreter's; tests/python/startup has our own",
    "test_create_snapshot": "replaces a private function that take_snapshot() of memtrace does not call",
}
# Where they are: patch releases have them that earlier ones have not.
LEFT_OUT_OF_SOME = {
    "test_late_untrack": "imports tracemalloc in a process of its own",
    "test_tracemalloc_track_race": "starts and stops tracemalloc from C",
}
if sys.version_info < (3, 13):
    LEFT_OUT["test_new_reference"] = "CPython tells nobody but tracemalloc of a block reused from a free list"

DEPTH = 20  # two tests count on the deep stack of CPython's own test runner


def cases(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from cases(item)
        elif isinstance(item, unittest.TestCase):
            yield item


def reason_to_leave_out(case: unittest.TestCase) -> str | None:
    name = case._testMethodName
    return LEFT_OUT.get(type(case).__name__) or LEFT_OUT.get(name) or LEFT_OUT_OF_SOME.get(name)


def run(case: unittest.TestCase) -> str:
    output = io.StringIO()
    result = unittest.TextTestRunner(output).run(case)
    if result.skipped:
        return f"skipped: {result.skipped[0][1]}"
    return "passed" if result.wasSuccessful() else output.getvalue()


def run_at(depth: int, case: unittest.TestCase) -> str:
    return run(case) if depth == 0 else run_at(depth - 1, case)


def main() -> None:
    sys.modules["tracemalloc"] = sys.modules["_tracemalloc"] = memtrace
    from test import test_tracemalloc

    assert test_tracemalloc.tracemalloc is memtrace
    outcomes = {}
    left_out = set()
    for case in cases(unittest.defaultTestLoader.loadTestsFromModule(test_tracemalloc)):
        reason = reason_to_leave_out(case)
        if reason is None:
            outcomes[case.id()] = run_at(DEPTH, case)
        else:
            left_out.add(reason)
    json.dump({"outcomes": outcomes, "unused_reasons": sorted(set(LEFT_OUT.values()) - left_out)}, sys.stdout)


if __name__ == "__main__":
    main()
