"""Tasks that have their names for labels."""

from __future__ import annotations

import asyncio
import contextvars
import random
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

import memtrace

DOMAIN = 91


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    memtrace.stop()
    memtrace.start(label_tasks=True)
    yield
    memtrace.stop()


def by_label() -> dict[str, int]:
    """Bytes of what the tests report."""
    kept = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, DOMAIN)])
    return {str(statistic.key): statistic.size for statistic in kept.statistics("label")}


def report(address: int, size: int) -> None:
    memtrace.track(DOMAIN, address, size)


async def work(address: int, size: int) -> None:
    report(address, size)
    await asyncio.sleep(0)
    report(address + 1, size)


def test_labels_are_the_models() -> None:
    choose = random.Random(3)
    sums = Counter[str]()
    addresses = iter(range(100_000))

    async def spawn(name: str, depth: int) -> None:
        for _ in range(choose.randrange(4)):
            report(next(addresses), size := choose.randrange(100))
            sums[name] += size
            await asyncio.sleep(0)
            if depth < 4:
                given = choose.choice(("a", "b", "c", None))
                label = given or "test_labels_are_the_models.<locals>.spawn"
                task = asyncio.create_task(spawn(label, depth + 1), name=given)
                if choose.random() < 0.5:
                    await task
                else:
                    tasks.append(task)

    tasks: list[asyncio.Task[None]] = []

    async def main() -> None:
        await asyncio.gather(*(asyncio.create_task(spawn(name, 0), name=name) for name in "abcdefgh"))
        while tasks:
            await tasks.pop()

    asyncio.run(main())
    assert by_label() == {name: size for name, size in sums.items() if size}
    assert len(sums) > 4


def test_a_label_inside_of_a_task_counts() -> None:
    async def labelled() -> None:
        with memtrace.label("inner"):
            report(1, 10)
        report(2, 20)

    asyncio.run(labelled())
    assert by_label() == {"inner": 10, "test_a_label_inside_of_a_task_counts.<locals>.labelled": 20}


def test_what_makes_tasks_of_its_own() -> None:
    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(work(10, 1), name="group")
        await asyncio.gather(work(20, 10))
        await asyncio.wait_for(asyncio.ensure_future(work(30, 100)), 60)
        report(40, 1000)

    asyncio.run(main())
    assert by_label() == {"group": 2, "work": 220, "test_what_makes_tasks_of_its_own.<locals>.main": 1000}


def test_a_context_that_is_given() -> None:
    variable = contextvars.ContextVar("variable", default=0)

    async def count(address: int) -> None:
        variable.set(variable.get() + 1)
        report(address, 1)

    async def main() -> None:
        context = contextvars.copy_context()
        for number in range(3):
            await asyncio.create_task(count(number), name=f"task {number % 2}", context=context)
        assert context[variable] == 3
        report(10, 1)
        own = contextvars.copy_context()
        await asyncio.create_task(count(11), context=own)

    with asyncio.Runner() as runner:
        runner.run(main())
        runner.run(count(12))
    assert by_label() == {
        "task 0": 2,
        "task 1": 1,
        "test_a_context_that_is_given.<locals>.main": 1,
        "test_a_context_that_is_given.<locals>.count": 2,
    }


def test_a_factory_is_called_as_ever() -> None:
    def factory(loop: Any, coro: Any, **keywords: Any) -> asyncio.Task[Any]:
        calls.append(set(keywords))
        return asyncio.Task(coro, loop=loop, **keywords)

    async def make() -> None:
        asyncio.get_running_loop().set_task_factory(factory)  # type: ignore[arg-type]
        await asyncio.create_task(work(1, 5), name="made")

    calls: list[set[str]] = []
    asyncio.run(make())
    expected = list(calls)
    memtrace.stop()
    calls.clear()
    asyncio.run(make())
    assert calls == expected


@pytest.mark.skipif(sys.version_info < (3, 12), reason="eager tasks came with 3.12")
def test_eager_tasks() -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        await asyncio.create_task(work(1, 5), name="eager")
        report(10, 7)

    asyncio.run(main())
    assert by_label() == {"eager": 10, "test_eager_tasks.<locals>.main": 7}


def test_what_is_no_coroutine_fails_as_ever() -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match="a coroutine was expected, got 5"):
            asyncio.get_running_loop().create_task(5)  # type: ignore[arg-type]

    asyncio.run(main())


def test_it_ends_with_the_trace() -> None:
    create_task = asyncio.BaseEventLoop.create_task
    memtrace.stop()
    original = asyncio.BaseEventLoop.create_task
    assert original is not create_task
    memtrace.start()
    asyncio.run(work(1, 5))
    assert by_label() == {"no label": 10}
    memtrace.stop()

    memtrace.start(label_tasks=True)
    wrapped = asyncio.BaseEventLoop.create_task

    def mine(self: Any, *args: Any, **keywords: Any) -> Any:
        return wrapped(self, *args, **keywords)

    asyncio.BaseEventLoop.create_task = mine  # type: ignore[method-assign]
    try:
        memtrace.stop()
        assert asyncio.BaseEventLoop.create_task is mine
        memtrace.start()
        asyncio.run(work(1, 5))
        assert by_label() == {"no label": 10}
    finally:
        asyncio.BaseEventLoop.create_task = original  # type: ignore[method-assign]


def test_it_is_a_keyword_of_the_trace() -> None:
    memtrace.start()
    memtrace.start(label_tasks=True)
    with pytest.raises(ValueError, match="label_tasks is another than tracing was started with"):
        memtrace.start(label_tasks=False)
    with pytest.raises(TypeError, match="label_tasks must be True or False, not int"):
        memtrace.start(label_tasks=1)  # type: ignore[arg-type]
