"""A cache on a method keeps each object that the method was called on."""

import functools
import gc
import weakref

import memtrace


class Report:
    def __init__(self):
        self.rows = [bytearray(1000) for _ in range(100)]

    @functools.lru_cache(maxsize=500)
    def total(self, column):
        return sum(row[column] for row in self.rows)


def answer():
    report = Report()
    report.total(3)
    return weakref.ref(report)


report = answer()
gc.collect()
for chain in memtrace.holders(report()):
    print(chain)
