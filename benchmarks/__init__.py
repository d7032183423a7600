"""Measurements of memtrace against the bare interpreter, tracemalloc and memray.

Three commands, run from the root of the repository: ``python -m benchmarks.overhead``,
``python -m benchmarks.snapshots`` and ``python -m benchmarks.memory``.
"""
