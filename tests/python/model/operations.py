"""What a sequence is made of. An operation is a value whose repr is the code that makes it."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from places import CALLERS, LEAVES, ONCE
from world import Operation, World

import memtrace

THREADS = 4
OBJECTS = 6
SNAPSHOTS = 3
# Slots by the kind of their blocks.
SLOTS = {"raw": range(5), "mem": range(5, 8), "obj": range(8, 11)}
DOMAINS = (0, 1, 7001, 389047, 2**32 - 1)
# In domain 0 traces do not overlap, and each takes up to 48 bytes.
ADDRESSES = (0, 1, 8, 64, 65, 4096, 2**32, 2**47 + 5, 2**48 - 1, 2**48, 2**63 + 24, 2**64 - 1)
# No allocator gives that.
IMPOSSIBLE = 2**62 + 1


@dataclass(frozen=True)
class Start(Operation):
    nframe: int

    def apply(self, world: World) -> None:
        memtrace.start(self.nframe)
        world.reference.start(self.nframe)


@dataclass(frozen=True)
class Stop(Operation):
    def apply(self, world: World) -> None:
        memtrace.stop()
        world.reference.stop()


@dataclass(frozen=True)
class Clear(Operation):
    def apply(self, world: World) -> None:
        memtrace.clear_traces()
        world.reference.clear()


@dataclass(frozen=True)
class ResetPeak(Operation):
    def apply(self, world: World) -> None:
        world.reset_peak()


@dataclass(frozen=True)
class Look(Operation):
    def apply(self, world: World) -> None:
        world.look()


@dataclass(frozen=True)
class Collect(Operation):
    def apply(self, world: World) -> None:
        gc.collect()


@dataclass(frozen=True)
class Fork(Operation):
    def apply(self, world: World) -> None:
        world.fork()


@dataclass(frozen=True)
class EndThread(Operation):
    thread: int

    def apply(self, world: World) -> None:
        world.end_thread(self.thread)


@dataclass(frozen=True)
class Keep(Operation):
    """Keep a snapshot; it is what it was, in comparisons with the others and in a file, whatever comes."""

    def apply(self, world: World) -> None:
        for kept in world.kept:
            world.compare_snapshot(kept)
        if not world.reference.tracing:
            return
        new = world.take()
        for old in world.kept:
            world.compare_difference(old, new)
        world.compare_file(new)
        world.kept = [new, *world.kept][:SNAPSHOTS]


@dataclass(frozen=True)
class Block(Operation):
    """A call of malloc, calloc, realloc or free; `other` does it with the GIL released, for RAW blocks."""

    call: str
    slot: int
    size: int
    at: str
    thread: int = 0
    other: bool = False

    def apply(self, world: World) -> None:
        old, _ = world.slots.get(self.slot, (None, 0))
        if self.call in ("malloc", "calloc") and old is not None:
            return
        arguments = {
            "malloc": (self.size,),
            "calloc": (1, self.size) if self.size % 3 else (3, self.size // 3),
            "realloc": (self.size,),
            "free": (),
        }[self.call]
        call = getattr(world.allocations, self.call)
        succeeded, stack = world.call(self.at, self.thread, call, self.slot, self._kind(world.allocations), *arguments)
        if self.call == "free" or succeeded:
            if old is not None:
                world.reference.remove(0, old)
                del world.slots[self.slot]
            if self.call != "free":
                address = world.allocations.address(self.slot)
                world.slots[self.slot] = (address, self.size)
                world.reference.add(0, address, self.size, stack)
        world.require(self.call == "free" or succeeded == (self.size != IMPOSSIBLE), f"{self.call} {succeeded}")

    def _kind(self, allocations: ModuleType) -> int:
        if self.slot in SLOTS["raw"]:
            return allocations.RAW_WITHOUT_GIL if self.other else allocations.RAW  # type: ignore[no-any-return]
        return allocations.MEM if self.slot in SLOTS["mem"] else allocations.OBJ  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Report(Operation):
    """A block reported through `by`: Python, or C as numpy does. It may be the block in a slot, or the first part of it.

    Not more than it: the next block is another's.
    """

    by: str
    domain: int
    address: int
    size: int
    at: str
    thread: int = 0
    slot: int | None = None

    def apply(self, world: World) -> None:
        address, size = self.address, self.size
        if self.slot in world.slots:
            address, room = world.slots[self.slot]
            size = min(size, room)
        if self.by == "track":
            told, stack = world.call(self.at, self.thread, memtrace.track, self.domain, address, size)
            world.same("track()", told, world.reference.tracing)
        else:
            arguments = (self.domain, address, size, self.by == "report")
            told, stack = world.call(self.at, self.thread, world.reporter.report, *arguments)
            world.same("PyTraceMalloc_Track()", told, 0 if world.reference.tracing else -2)
        world.reference.add(self.domain, address, size, stack)


@dataclass(frozen=True)
class Forget(Operation):
    """The end of a reported block, or of a trace in a slot whose block lives on."""

    by: str
    domain: int
    address: int
    thread: int = 0
    slot: int | None = None

    def apply(self, world: World) -> None:
        address, _ = world.slots.get(self.slot, (self.address, 0))
        known = world.reference.frames(self.domain, address)
        found = world.reporter.traceback(self.domain, address)
        world.same("C traceback", found, None if known is None else tuple(reversed(known)))
        forget = memtrace.untrack if self.by == "track" else world.reporter.forget
        told, _ = world.call("A", self.thread, forget, self.domain, address)
        expected: dict[str, tuple[object, object]] = {"track": (False, True), "report": (-2, 0)}
        world.same("told", told, expected[self.by][world.reference.tracing])
        world.reference.remove(self.domain, address)


@dataclass(frozen=True)
class Make(Operation):
    """An object, with its bytes in a block of their own."""

    number: int
    size: int
    at: str
    thread: int = 0

    def apply(self, world: World) -> None:
        if self.number in world.objects:
            return
        made, stack = world.call(self.at, self.thread, bytearray, self.size)
        world.objects[self.number] = made
        reference = world.reference
        reference.add(0, ("object", self.number), bytearray.__basicsize__, stack)
        reference.add(0, ("bytes", self.number), made.__sizeof__() - bytearray().__sizeof__(), stack)


@dataclass(frozen=True)
class Drop(Operation):
    number: int

    def apply(self, world: World) -> None:
        world.objects.pop(self.number, None)
        world.settle()
        world.reference.remove(0, ("object", self.number))
        world.reference.remove(0, ("bytes", self.number))


# --- choosing


def _at(chance: random.Random) -> str:
    depth = chance.choice((0, 0, 1, 1, 2, 3, 5, 8, 30, 70))
    recursion = chance.random() < 0.3
    names = chance.choice(CALLERS) * depth if recursion else "".join(chance.choices(CALLERS, k=depth))
    if chance.random() < 0.2:
        place = chance.randrange(depth + 1)
        names = names[:place] + ONCE + names[place:]
    return names + chance.choice(LEAVES)


def _thread(chance: random.Random) -> int:
    return max(0, chance.randrange(-5, THREADS))


def _size(chance: random.Random) -> int:
    """Odd: Python's own objects are even ones."""
    return chance.choice((1, 3, 9, chance.randrange(200), chance.randrange(1000), chance.randrange(200_000))) | 1


def _block(chance: random.Random) -> Block:
    call = chance.choices(("malloc", "calloc", "realloc", "free"), (4, 2, 4, 3))[0]
    slot = chance.choice([slot for slots in SLOTS.values() for slot in slots])
    size = 0 if call == "free" else chance.choices((_size(chance), 0, 10_000_001, IMPOSSIBLE), (40, 1, 1, 1))[0]
    return Block(call, slot, size, _at(chance), _thread(chance), chance.random() < 0.5)


def _address(chance: random.Random) -> tuple[int, int | None]:
    slot = chance.choice((*[None] * 20, *(slot for slots in SLOTS.values() for slot in slots)))
    return chance.choice(ADDRESSES), slot


def _report(chance: random.Random) -> Report:
    by = chance.choice(("track", "report", "report without GIL"))
    address, slot = _address(chance)
    size = chance.choices((_size(chance), 0, 2**32 - 1, 2**32 + 1, 2**47 + 1), (20, 1, 1, 1, 1))[0]
    return Report(by, chance.choice(DOMAINS), address, size, _at(chance), _thread(chance), slot)


def _forget(chance: random.Random) -> Forget:
    address, slot = _address(chance)
    return Forget(chance.choice(("track", "report")), chance.choice(DOMAINS), address, _thread(chance), slot)


_CHOICES: list[tuple[int, Callable[[random.Random], Operation]]] = [
    (40, _block),
    (16, _report),
    (12, _forget),
    (8, lambda chance: Make(chance.randrange(OBJECTS), chance.randrange(30_000) * 2, _at(chance), _thread(chance))),
    (4, lambda chance: Drop(chance.randrange(OBJECTS))),
    (12, lambda _: Look()),
    (3, lambda _: Keep()),
    (3, lambda chance: Start(chance.randrange(1, 31))),
    (1, lambda _: Stop()),
    (1, lambda _: Clear()),
    (2, lambda _: ResetPeak()),
    (1, lambda _: Fork()),
    (2, lambda chance: EndThread(chance.randrange(1, THREADS))),
    (1, lambda _: Collect()),
]


def random_sequence(chance: random.Random, length: int) -> list[Operation]:
    """So many operations; traced mostly."""
    weights, makers = zip(*_CHOICES, strict=True)
    made = [make(chance) for make in chance.choices(makers, weights, k=length)]
    return [Start(chance.randrange(1, 31)), *made, Look()]
