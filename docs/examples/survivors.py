"""A list that does not grow, and yet is not the same."""

import memtrace


def refill(recent, number):
    recent[:] = [bytearray(1_000) for _ in range(number)]


recent, kept = [], []
memtrace.start()
refill(recent, 100)
before = memtrace.take_snapshot(mark=True)
refill(recent, 101)
kept.append(bytearray(5_000))

after = memtrace.take_snapshot()
chosen = [memtrace.Filter(True, __file__)]
for diff in after.filter_traces(chosen).compare_to(before.filter_traces(chosen), "lineno")[:2]:
    print(diff)
    print(f"    survived: {diff.survived_size:,} B, new: {diff.new_size:,} B, dead: {diff.dead_size:,} B")
