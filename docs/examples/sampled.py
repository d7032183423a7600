"""A few samples instead of every block: what they say, and how sure it is."""

import memtrace

memtrace.start(10, sample_interval="64 KiB", seed=1)

index = {number: str(number) for number in range(200_000)}
before = memtrace.take_snapshot(mark=True)
pages = [bytearray(3_000) for _ in range(5_000)]

snapshot = memtrace.take_snapshot()
own = memtrace.Filter(True, __file__)
for statistic in snapshot.filter_traces([own]).statistics("lineno"):
    print(statistic)

largest = snapshot.compare_to(before, "lineno")[0]
print(f"grown by {largest.size_diff / 1e6:.1f} MB, standard error {largest.size_diff_error / 1e6:.1f} MB")

status = memtrace.status()
print(f"{status.mode}: one sample in {status.sample_interval} bytes, {len(snapshot.traces)} samples alive")
