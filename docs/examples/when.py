"""At most, and now."""

import time

import memtrace

memtrace.start(timeline=0.001)
report = [bytearray(1_000_000) for _ in range(20)]
time.sleep(0.01)
del report
summary = bytearray(1_000_000)

points = memtrace.timeline()
highest = max(points, key=lambda point: point.peak)
print(f"{highest.peak // 1_000_000} MB at most, {points[-1].size // 1_000_000} MB now")
