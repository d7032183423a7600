"""The dumb model: what is live, by domain and address, and what follows from that for snapshots and statistics."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable
from typing import NamedTuple

from places import Stack

# The name of a block in a domain: its address, or something else where nobody asks for that.
Key = tuple[int, Hashable]
# By group: size and count.
Groups = dict[Hashable, tuple[int, int]]


class Row(NamedTuple):
    """A live block as snapshots show it."""

    domain: int
    size: int
    frames: Stack
    total_nframe: int


class Reference:
    """The tracer, without its tables."""

    def __init__(self, limit: int = 1) -> None:
        self.tracing = False
        self.limit = limit  # of the last trace
        self.live: dict[Key, Row] = {}

    def start(self, nframe: int) -> None:
        if not self.tracing:
            self.tracing, self.limit = True, nframe

    def stop(self) -> None:
        self.tracing = False
        self.live = {}

    def clear(self) -> None:
        self.live = {}

    def add(self, domain: int, address: Hashable, size: int, stack: Stack) -> None:
        if self.tracing:
            self.live[domain, address] = Row(domain, size, stack[-self.limit :], len(stack))

    def remove(self, domain: int, address: Hashable) -> None:
        self.live.pop((domain, address), None)

    def frames(self, domain: int, address: Hashable) -> Stack | None:
        row = self.live.get((domain, address))
        return None if row is None else row.frames

    def total(self) -> int:
        return sum(row.size for row in self.live.values())


def _last_line(row: Row) -> list[Hashable]:
    return [row.frames[-1]]


GROUPINGS: dict[tuple[str, bool], Callable[[Row], Iterable[Hashable]]] = {
    ("lineno", False): _last_line,
    ("filename", False): lambda row: [(row.frames[-1][0], 0)],
    ("traceback", False): lambda row: [row.frames],
    ("domain", False): lambda row: [row.domain],
    ("lineno", True): lambda row: row.frames,
    ("filename", True): lambda row: [(file, 0) for file, _ in row.frames],
}


def grouped(rows: Iterable[Row], key_type: str, cumulative: bool = False) -> Groups:
    """Sizes and counts, a frame that recurs counting each time as it does for tracemalloc."""
    sizes: defaultdict[Hashable, int] = defaultdict(int)
    counts: Counter[Hashable] = Counter()
    for row in rows:
        for key in GROUPINGS[key_type, cumulative](row):
            sizes[key] += row.size
            counts[key] += 1
    return {key: (sizes[key], count) for key, count in counts.items()}
