"""Some distributions package CPython's own tests apart, or not at all: then there is nothing to run here."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = []
if find_spec("test") is None or find_spec("test.test_tracemalloc") is None:
    collect_ignore.append("test_stdlib_suite.py")
    print("tests/python/conformance: this interpreter comes without test.test_tracemalloc, which is not run")
