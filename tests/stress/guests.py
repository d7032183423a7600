"""Threads in which more than one stack runs: coroutines, generators, greenlets, other interpreters."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from types import ModuleType

from workers import Part

if sys.version_info >= (3, 13):
    import _interpreters
else:
    import _xxsubinterpreters as _interpreters


class Tasks(Part):
    """An event loop full of tasks and asynchronous generators; some are cancelled, some never finished."""

    def once(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        tasks = [asyncio.create_task(self._task(number)) for number in range(50)]
        await asyncio.sleep(0)
        for task in tasks[::7]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.get_running_loop().run_in_executor(None, self._numbers_in_a_list)

    async def _task(self, number: int) -> list[object]:
        kept: list[object] = []
        async for made in self._numbers(number):
            kept.append(made)
            if len(kept) == number % 11:
                break
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.sleep(0 if number % 3 else 1), 0.001)
        return kept

    async def _numbers(self, depth: int) -> AsyncIterator[list[int]]:
        yield [depth]
        await asyncio.sleep(0)
        if depth:
            async for made in self._numbers(depth // 2):
                yield [*made, depth]

    def _numbers_in_a_list(self) -> list[bytes]:
        return [bytes(number) for number in range(self._random.randrange(1000))]


class Greenlets(Part):
    """Stacks that are switched in the middle, at other depths each time; the last ones end when they are collected."""

    def __init__(self, seed: int, greenlet: ModuleType) -> None:
        super().__init__(seed)
        self._greenlet = greenlet

    def once(self) -> None:
        stacks = [self._greenlet.greenlet(self._descend) for _ in range(20)]
        for turn in range(60):
            stack = stacks[self._random.randrange(len(stacks))]
            if not stack.dead:
                stack.switch(turn % 30 + 1)

    def _descend(self, depth: int) -> list[object]:
        kept: list[object] = [bytearray(depth * 100)]
        self._greenlet.getcurrent().parent.switch(kept)
        return [kept, self._descend(depth - 1) if depth else None]


class Gate:
    """Lets interpreters in, or one who forks: CPython's child crashes when it clears away interpreters that were at work."""

    def __init__(self) -> None:
        self._entrance = threading.Lock()
        self._changed = threading.Condition()
        self._inside = 0

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        with self._entrance, self._changed:
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        with self._entrance:
            with self._changed:
                self._changed.wait_for(lambda: self._inside == 0)
            yield


class Interpreters(Part):
    """Interpreters that come, allocate in a thread of their own and go; blocks of them outlive them."""

    INSIDE = """
import sys; sys.path[:] = {path!r}
import allocations, threading
def numbers():
    for number in range(200):
        yield [bytearray(number), str(number) * 20, {{number: number}}]
def work():
    for turn in range(20):
        kept.append(list(numbers()))
        exec("def made():\\n    return [0] * 10\\nmade()")
kept = []
if {threaded}:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
work()
for slot in range({first}, {first} + 50):
    allocations.malloc(slot, allocations.RAW_WITHOUT_GIL if slot % 2 else allocations.RAW, slot)
"""
    SLOTS = 50

    def __init__(self, seed: int, allocations: ModuleType, first: int, gate: Gate) -> None:
        super().__init__(seed)
        self._allocations, self._first, self._gate = allocations, first, gate

    def once(self) -> None:
        with self._gate.inside():
            self._come_and_go()
        for slot in range(self._first, self._first + self.SLOTS):
            self._allocations.free(slot, self._allocations.RAW)

    def _come_and_go(self) -> None:
        inside = self._create(own_gil=sys.version_info >= (3, 12) and self._random.random() < 0.7)
        try:
            text = self.INSIDE.format(path=sys.path, first=self._first, threaded=self._random.random() < 0.5)
            self._run(inside, text)
        finally:
            _interpreters.destroy(inside)

    if sys.version_info >= (3, 13):

        def _create(self, own_gil: bool) -> object:
            return _interpreters.create("isolated" if own_gil else "legacy")

        def _run(self, interpreter: object, text: str) -> None:
            failure = _interpreters.exec(interpreter, text)
            assert failure is None, failure
    else:

        def _create(self, own_gil: bool) -> object:
            return _interpreters.create(isolated=own_gil)

        def _run(self, interpreter: object, text: str) -> None:
            _interpreters.run_string(interpreter, text)


class Strangers:
    """Threads that Python does not know, and that get a thread state now and then."""

    def __init__(self, seed: int, unattached: ModuleType) -> None:
        self.done = 0
        self._seed, self._threads = seed, unattached

    def work(self, stop: threading.Event) -> None:
        self._threads.start(2, self._seed, True)
        stop.wait()
        self._threads.stop()
        self._threads.release(False)
        self.done += 1
