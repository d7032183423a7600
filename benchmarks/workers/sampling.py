"""Worker: the same blocks again and again, sampled with other seeds."""

import random

import memtrace
from benchmarks.harness.process import read_request, write_report

DOMAIN = 1234
INTERVAL = "512 KiB"


def sizes() -> list[int]:
    """Return the sizes of the blocks: most are small, the bytes are in all, and some are near the interval."""
    generator = random.Random(20)
    small = [generator.randrange(512, 4096) for _ in range(40_000)]
    large = [int(generator.lognormvariate(12, 1)) for _ in range(400)]
    return small + large


def main() -> None:
    """Make as many runs as the request says; report truth, estimates and errors of sizes and of counts."""
    runs = read_request()["runs"]
    blocks = list(enumerate(sizes(), start=1))
    size: dict[str, list[float]] = {"estimates": [], "errors": []}
    count: dict[str, list[float]] = {"estimates": [], "errors": []}
    for seed in range(runs):
        memtrace.start(1, sample_interval=INTERVAL, seed=seed)
        for address, bytes_of_it in blocks:
            memtrace.track(DOMAIN, address, bytes_of_it)
        snapshot = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, DOMAIN)])
        memtrace.stop()
        (statistic,) = snapshot.statistics("domain")
        size["estimates"].append(statistic.size)
        size["errors"].append(statistic.size_error)
        count["estimates"].append(statistic.count)
        count["errors"].append(statistic.count_error)
    truth = sum(bytes_of_it for _, bytes_of_it in blocks)
    write_report(read_request(), {"size": {"truth": truth, **size}, "count": {"truth": len(blocks), **count}})


if __name__ == "__main__":
    main()
