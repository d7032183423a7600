"""The tracer itself has 5 MiB, however many blocks the program keeps."""

import memtrace

memtrace.start(10, max_memory="5 MiB", seed=1)
kept = []
for more in 50_000, 350_000, 200_000, 200_000:
    kept += [str(number) for number in range(more)]
    status = memtrace.status()
    print(f"{status.mode}, {status.own_bytes >> 10} KiB, interval {status.sample_interval}, dropped {status.dropped}")
