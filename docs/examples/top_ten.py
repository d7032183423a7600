"""The ten lines of a program that hold the most memory."""

import memtrace

memtrace.start()

# A shop that keeps everything in memory.
images = [bytes(10_000) for _ in range(300)]
orders = [{"number": number, "paid": False} for number in range(8_000)]
customers = [f"customer number {number}" for number in range(10_000)]
prices = {f"article {number}": number / 100 for number in range(5_000)}
baskets = [set(range(first, first + 5)) for first in range(1_500)]
visits = [(hour, hour * hour) for hour in range(2_000)]
shelves = [[0.0] * 40 for _ in range(300)]
journal = bytearray(60_000)
catalogue = sorted(prices)
numbers = list(range(2_000, 2_800))

snapshot = memtrace.take_snapshot()
for statistic in snapshot.statistics("lineno")[:10]:
    print(statistic)
