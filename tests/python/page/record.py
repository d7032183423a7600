"""Records the shop: `python -c "exec(open('record.py').read())" FILE PAGES ORDERS`, in this folder.

The shop's files are compiled here, under their names relative to this folder, so that those are the same everywhere.
"""

import sys
from pathlib import Path
from types import ModuleType

import memtrace

_file, _pages, _orders = sys.argv[1:]


def _load(name, **names):
    module = ModuleType(name)
    vars(module).update(names)
    path = f"shop/{name}.py"
    exec(compile(Path(path).read_text(), path, "exec"), vars(module))
    return module


memtrace.start(25)
cache, orders = _load("cache"), _load("orders")
kept = _load("main", cache=cache, orders=orders, pages=int(_pages), order_count=int(_orders))
peak = memtrace.take_peak_snapshot()
snapshot = memtrace.take_snapshot(types=True)
memtrace.stop()
snapshot.peak = peak

from memtrace._timeline import TimelinePoint  # noqa: E402

_live = sum(each.size for each in snapshot.statistics("filename"))
_most = sum(each.size for each in peak.statistics("filename"))
_shares = [0, 0.05, 0.1, 0.3, 0.35, 0.5, 0.55, 0.7, 0.75, 0.85]
_sizes = [int(_live * share) for share in _shares] + [_most, _live, _live]
snapshot.timeline = tuple(
    TimelinePoint(0.25 * step, size, size + _live // 50 * (step % 2), 3 * size // 2 + 4_000_000)
    for step, size in enumerate(_sizes)
)
snapshot.dump(_file)
