"""A seeded program of numpy's and pandas': what each domain holds at its checkpoints, under one tracer.

    python arrays.py {tracemalloc,memtrace,both} {before,after} [--threads N] [--small N]

The second argument says whether numpy is imported before tracing starts or after. Prints one JSON line: for each
tracer and checkpoint the blocks and bytes of each domain but Python's own.
"""

from __future__ import annotations

import argparse
import collections
import gc
import importlib
import json
import random
import sys
import threading


def start(tracers: list) -> None:
    for tracer in tracers:
        tracer.start()


class Checkpoints:
    def __init__(self, tracers: list) -> None:
        self.tracers = tracers
        self.held: dict[str, list] = {tracer.__name__: [] for tracer in tracers}

    def note(self) -> None:
        gc.collect()
        for tracer in self.tracers:
            held = collections.Counter()
            for domain, size, _, _ in tracer._get_traces():
                if domain != 0:
                    held[f"{domain} blocks"] += 1
                    held[f"{domain} bytes"] += size
            self.held[tracer.__name__].append(held)


def change(numpy, rng: random.Random, kept: list) -> None:
    """One step: an array comes, goes, grows, or is computed from others."""
    kind = rng.randrange(8)
    if kind == 0:
        kept.append(numpy.zeros(rng.randrange(20_000)))
    elif kind == 1:
        kept.append(numpy.arange(rng.randrange(100), dtype="u1"))
    elif kind == 2 and kept:
        kept.append(kept[rng.randrange(len(kept))] + 1)
    elif kind == 3 and kept:
        kept.append(kept[rng.randrange(len(kept))].astype("f4"))
    elif kind == 4 and kept:
        array = kept[rng.randrange(len(kept))]
        if array.flags.owndata:
            array.resize(rng.randrange(3000), refcheck=False)
    elif kind == 5:
        kept.append(numpy.array([rng.randrange(9) for _ in range(rng.randrange(20))], dtype=object))
        kept.append(numpy.ones((rng.randrange(30), 7), order="F"))
    elif kept:
        del kept[rng.randrange(len(kept))]
    del kept[300:]


def small_arrays_in_threads(numpy, threads: int, arrays: int) -> list:
    """Small arrays, which numpy serves from a cache of the thread's own, in threads that end; some outlive theirs."""
    left = []

    def work(first: int) -> None:
        mine = collections.deque(maxlen=16)
        for i in range(arrays):
            mine.append(numpy.empty(i % 100, dtype="u1"))
        left.extend(mine)

    for first in range(threads):
        thread = threading.Thread(target=work, args=(first,))
        thread.start()
        thread.join()
    return left


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("tracer", choices=["tracemalloc", "memtrace", "both"])
    parser.add_argument("imported", choices=["before", "after"])
    parser.add_argument("--threads", type=int, default=50)
    parser.add_argument("--small", type=int, default=1000)
    options = parser.parse_args()

    names = ["tracemalloc", "memtrace"] if options.tracer == "both" else [options.tracer]
    tracers = [importlib.import_module(name) for name in names]
    if options.imported == "after":
        start(tracers)
    import numpy

    if options.imported == "before":
        start(tracers)
    checkpoints = Checkpoints(tracers)
    rng = random.Random(1)
    kept: list = []
    for _ in range(10):
        for _ in range(200):
            change(numpy, rng, kept)
        checkpoints.note()
    left = small_arrays_in_threads(numpy, options.threads, options.small)
    checkpoints.note()
    del left
    checkpoints.note()

    import pandas

    frame = pandas.DataFrame({"key": [rng.randrange(500) for _ in range(20_000)], "value": range(20_000)})
    checkpoints.note()
    groups = frame.groupby("key")["value"].agg(["sum", "mean"])
    joined = frame.merge(groups, left_on="key", right_index=True)
    indexed = {i: joined.set_index("key").index.get_indexer_for([i]) for i in range(5)}
    checkpoints.note()
    del frame, groups, joined, indexed
    kept.clear()
    checkpoints.note()
    if sys.argv[1] != "memtrace":
        assert checkpoints.held["tracemalloc"][0], "numpy reported nothing"
    json.dump(checkpoints.held, sys.stdout)
    print()


if __name__ == "__main__":
    main()
