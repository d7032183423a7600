"""Peaks of random programs with regions in regions: the breakdown at each is the model's, to the byte."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

import memtrace

DOMAIN = 77
LINES = 12
UNIT = 1 << 30  # nothing else that is traced here comes near
PROGRAMS = 200

Place = Callable[[int, int], None]


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[Place]:
    """Functions that report a block, each from a line of its own."""
    file = tmp_path_factory.mktemp("peaks") / "places.py"
    file.write_text(
        "import memtrace\n"
        + "".join(f"def place{i}(address, size): memtrace.track({DOMAIN}, address, size)\n" for i in range(LINES))
    )
    names: dict[str, Place] = {}
    exec(compile(file.read_text(), file, "exec"), names)
    return [names[f"place{i}"] for i in range(LINES)]


@dataclass
class Peak:
    total: int
    breakdown: Counter[int]  # bytes by line


class Program:
    """Blocks that come and go, in regions, and the whole breakdown at each region's peak."""

    def __init__(self, seed: int, places: list[Place]) -> None:
        self.random = random.Random(seed)
        self.places = places
        self.blocks: dict[int, tuple[int, int]] = {}  # address: line, size
        self.peaks = [Peak(0, Counter())]  # of everything, and of each open region
        self.checked = 0

    def run(self) -> None:
        memtrace.start(self.random.choice([1, 5, 25]))
        try:
            self.block(0)
            self.check(memtrace.take_peak_snapshot(), memtrace.get_traced_memory()[1], self.peaks[0])
        finally:
            memtrace.stop()
        assert self.checked

    def block(self, depth: int) -> None:
        for _ in range(self.random.randrange(4, 15)):
            choice = self.random.random()
            if choice < 0.15 and depth < 5:
                self.in_region(depth)
            elif choice < 0.18:
                memtrace.reset_peak()
                self.peaks[0] = self.now()
            elif self.blocks and choice < 0.55:
                address = self.random.choice(list(self.blocks))
                memtrace.untrack(DOMAIN, address)
                del self.blocks[address]
            else:
                self.allocate()

    def allocate(self) -> None:
        line, size = self.random.randrange(LINES), self.random.randrange(1, 1000) * UNIT + self.random.randrange(9)
        total = self.now().total
        # What else the process allocates would decide between equals.
        while any((total + size) // UNIT == peak.total // UNIT for peak in self.peaks):
            size += UNIT
        address = self.random.randrange(1, 1 << 47) * 16
        self.places[line](address, size)
        self.blocks[address] = line, size
        self.peaks = [peak if peak.total > total + size else self.now() for peak in self.peaks]

    def in_region(self, depth: int) -> None:
        with memtrace.peak() as region:
            self.peaks.append(self.now())
            self.block(depth + 1)
            if self.random.random() < 0.3:
                self.check(region.snapshot, region.peak, self.peaks[-1])
        self.check(region.snapshot, region.peak, self.peaks.pop())

    def now(self) -> Peak:
        breakdown = Counter[int]()
        for line, size in self.blocks.values():
            breakdown[line] += size
        return Peak(sum(breakdown.values()), breakdown)

    def check(self, snapshot: memtrace.Snapshot, total: int, expected: Peak) -> None:
        statistics = snapshot.filter_traces([memtrace.DomainFilter(True, DOMAIN)]).statistics("lineno")
        found = Counter({statistic.traceback[0].lineno - 2: statistic.size for statistic in statistics})
        assert found == expected.breakdown
        assert total // UNIT == expected.total // UNIT
        self.checked += 1


@pytest.mark.parametrize("first", range(0, PROGRAMS, 20))
def test_peaks_of_random_programs(first: int, places: list[Place]) -> None:
    for seed in range(first, first + 20):
        Program(seed, places).run()
