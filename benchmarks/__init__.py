"""Measurements of memtrace against the bare interpreter, tracemalloc and memray.

Three scripts: ``overhead.py``, ``snapshots.py`` and ``memory.py``; see README.md.
"""
