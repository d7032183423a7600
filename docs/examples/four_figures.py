"""One line, and four answers to how much memory it takes."""

import memtrace

memtrace.start()
kept = []
while len(kept) < 10:
    page = [bytes(10_000) for _ in range(100)]  # the page before goes when this one is made
    kept.append(page[0])
del page

line = [memtrace.Filter(True, __file__, 8)]
live = memtrace.take_snapshot().filter_traces(line)
peak = memtrace.take_peak_snapshot().filter_traces(line)
print("live:     ", live.statistics("lineno")[0])
print("peak:     ", peak.statistics("lineno")[0])
(churn,) = live.churn()
print(f"allocated: {churn.allocated_size:,} B in {churn.allocated_count} blocks")
print(f"freed:     {churn.freed_size:,} B in {churn.freed_count} blocks")
