"""Threads of a busy program, each with ways of its own to allocate and free."""

from __future__ import annotations

import bz2
import hashlib
import random
import threading
import zlib
from collections.abc import Callable, Iterator
from types import ModuleType

import memtrace


class Part:
    """What one thread does, again and again."""

    def __init__(self, seed: int) -> None:
        self.done = 0
        self._random = random.Random(seed)

    def work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.once()
            self.done += 1
        self.end()

    def once(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        """Let go of what it has."""


class Containers(Part):
    """Python's own objects, with blocks that it keeps for a while."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._kept: list[object] = [None] * 500
        self._actions: list[Callable[[], object]] = [
            self._containers,
            self._resize,
            self._generators,
            self._exceptions,
            self._code,
            self._without_gil,
            self._cycles,
            lambda: self._recursion(self._random.choice((10, 50, 200, 800))),
        ]

    def once(self) -> None:
        place = self._random.randrange(len(self._kept))
        self._kept[place] = self._random.choice(self._actions)()

    def _containers(self) -> object:
        size = self._random.randrange(50)
        return [{i: str(i), (i,): float(i)} for i in range(size)], {f"{i}" for i in range(size)}, bytes(size * 100)

    def _resize(self) -> object:
        buffer = bytearray()
        for _ in range(10):
            buffer += bytes(self._random.randrange(5_000))
        del buffer[self._random.randrange(len(buffer) + 1) :]
        return buffer

    def _generators(self) -> object:
        def numbers(depth: int) -> Iterator[list[int]]:
            yield [depth]
            if depth:
                yield from numbers(depth - 1)

        half_way = numbers(20)
        return [next(half_way) for _ in range(self._random.randrange(1, 20))], half_way

    def _exceptions(self) -> object:
        try:
            return {}[str(self.done)]
        except KeyError as error:
            return error

    def _code(self) -> object:
        names: dict[str, Callable[[int], list[int]]] = {}
        number = self._random.randrange(50)
        exec(f"def made_{number}(n):\n    return [{number}] * n\n", names)
        return names[f"made_{number}"](10) if self._random.random() < 0.9 else names

    def _without_gil(self) -> object:
        data = bytes([self._random.randrange(256)]) * 100_000
        compress = self._random.choice((zlib.compress, zlib.compress, zlib.compress, bz2.compress))
        return compress(data), hashlib.sha256(data).digest()

    def _cycles(self) -> object:
        ring: list[object] = [bytearray(100)]
        ring.append(ring)
        return None if self._random.random() < 0.9 else ring

    def _recursion(self, depth: int) -> object:
        return [depth, self._recursion(depth - 1) if depth else None]


class Slots(Part):
    """Blocks in slots of the extension: every call of every domain, a RAW block with the GIL and without in turn."""

    SLOTS = 100

    def __init__(self, seed: int, allocations: ModuleType, first: int) -> None:
        super().__init__(seed)
        self._calls, self._first = allocations, first
        self._used: set[int] = set()

    def once(self) -> None:
        calls, number = self._calls, self._random.randrange(self.SLOTS)
        slot, domain = self._first + number, number % 4
        if domain in (calls.RAW, calls.RAW_WITHOUT_GIL):
            domain = self._random.choice((calls.RAW, calls.RAW_WITHOUT_GIL))
        size = self._random.choice((0, 7, 500, 5_000, 300_000))
        if slot not in self._used:
            self._used.add(slot)
            calls.malloc(slot, domain, size)
        elif self._random.random() < 0.5:
            calls.realloc(slot, domain, size)
        else:
            self._used.remove(slot)
            calls.free(slot, domain)

    def end(self) -> None:
        for slot in self._used:
            self._calls.free(slot, (slot - self._first) % 4)


class Reports(Part):
    """Blocks of domains of their own: from Python, and from C as numpy does, with the GIL and without."""

    ADDRESSES = 3000

    def __init__(self, seed: int, reporter: ModuleType, domain: int) -> None:
        super().__init__(seed)
        self._reporter, self._domain = reporter, domain
        self._taken: list[int] = []

    def once(self) -> None:
        reporter, domain = self._reporter, self._domain
        address, size = self._random.randrange(self.ADDRESSES) * 24 + 1, self._random.randrange(10_000)
        match self._random.randrange(6):
            case 0:
                memtrace.track(domain, address, size)
            case 1 | 2 as gil:
                reporter.report(domain, address, size, gil == 1)
            case 3:
                memtrace.untrack(domain, address)
            case 4:
                reporter.forget(domain, address)
            case 5 if len(self._taken) < 50:
                self._taken.append(reporter.take_over(domain, size))
            case 5:
                reporter.give_back(domain, self._taken.pop(self._random.randrange(len(self._taken))))

    def end(self) -> None:
        for address in self._taken:
            self._reporter.give_back(self._domain, address)
        for number in range(self.ADDRESSES):
            memtrace.untrack(self._domain, number * 24 + 1)


class Arrays(Part):
    """numpy's arrays, whose memory has a domain."""

    def __init__(self, seed: int, numpy: ModuleType) -> None:
        super().__init__(seed)
        self._numpy = numpy
        self._kept: list[object] = [None] * 50

    def once(self) -> None:
        numpy, size = self._numpy, self._random.randrange(1, 20_000)
        made = self._random.choice((numpy.zeros, numpy.ones, numpy.arange))(size)
        if self._random.random() < 0.3:
            made = numpy.concatenate([made, numpy.sort(made)[::2] * 1.5])
        if self._random.random() < 0.2:
            made.resize(size // 2 + 1, refcheck=False)
        self._kept[self._random.randrange(len(self._kept))] = made

    def end(self) -> None:
        self._kept.clear()
