"""Labels and threads: for whom blocks were allocated, over threads, contexts, tasks and generators."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import random
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from interpreter import HAS_GIL

import memtrace

DOMAIN = 79
NO_LABEL = "no label"


pytestmark = pytest.mark.usefixtures("traced")


_addresses = count(1)


def report(size: int) -> None:
    """Report a block of this test's domain."""
    memtrace.track(DOMAIN, next(_addresses), size)


def by(key_type: str, snapshot: memtrace.Snapshot | None = None) -> dict[str, int]:
    """Bytes of what was reported."""
    taken = memtrace.take_snapshot() if snapshot is None else snapshot
    kept = taken.filter_traces([memtrace.DomainFilter(True, DOMAIN)])
    return {str(statistic.key): statistic.size for statistic in kept.statistics(key_type)}


def test_nested_labels() -> None:
    report(1)
    with memtrace.label("outer") as outer:
        report(2)
        with memtrace.label("inner"), memtrace.label("outer"):
            report(4)
        report(8)
        with outer:
            report(16)
        report(32)
    report(64)
    assert by("label") == {"outer": 2 + 4 + 8 + 16 + 32, NO_LABEL: 65}


def test_python_s_own_blocks() -> None:
    kept = []
    with memtrace.label("large"):
        kept.append(bytearray(1 << 20))
    kept.append(bytearray(1 << 21))
    labels = {str(s.key): s.size for s in memtrace.take_snapshot().statistics("label")}
    assert 1 << 20 <= labels["large"] < (1 << 20) + 10_000
    assert labels[NO_LABEL] >= 1 << 21


def test_a_failing_block() -> None:
    with pytest.raises(ZeroDivisionError), memtrace.label("failing"):
        report(1)
        raise ZeroDivisionError
    report(2)
    assert by("label") == {"failing": 1, NO_LABEL: 2}


def test_decorated_functions() -> None:
    @memtrace.label("plain")
    def plain(size: int) -> int:
        """Documented."""
        report(size)
        return size

    @memtrace.label("coroutine")
    async def coroutine(size: int) -> None:
        report(size)
        await asyncio.sleep(0)
        report(size)

    async def both() -> None:
        await asyncio.gather(coroutine(10), coroutine(100))
        report(5)

    assert plain(1) == 1
    assert plain.__doc__ == "Documented."
    asyncio.run(both())
    assert by("label") == {"plain": 1, "coroutine": 220, NO_LABEL: 5}


def test_threads_begin_as_their_context_says() -> None:
    def work(size: int) -> None:
        report(size)
        with memtrace.label("own"):
            report(2 * size)

    with memtrace.label("starter"):
        plain = threading.Thread(target=lambda: contextvars.Context().run(work, 1))
        copied = threading.Thread(target=contextvars.copy_context().run, args=(work, 100))
        for thread in (plain, copied):
            thread.start()
            thread.join()
    assert by("label") == {NO_LABEL: 1, "own": 202, "starter": 100}


def test_another_context_in_the_same_thread() -> None:
    before = contextvars.copy_context()
    with memtrace.label("outside"):
        inside = contextvars.copy_context()
        before.run(report, 1)
        report(2)
        inside.run(report, 4)
    inside.run(report, 8)
    report(16)
    assert by("label") == {NO_LABEL: 17, "outside": 14}


def test_a_generator_left_elsewhere() -> None:
    def labelled() -> Iterator[None]:
        with memtrace.label("generator"):
            report(1)
            yield

    generator = labelled()
    next(generator)
    contextvars.Context().run(next, generator, None)  # leaves the label, there
    report(2)  # the variable is still set here, as any would be
    assert by("label") == {"generator": 3}
    # And so it stays in this context; the test's own must not be used on.


@pytest.fixture(autouse=True)
def own_context(request: pytest.FixtureRequest) -> None:
    """Give each test a context of its own."""
    function: Callable[..., Any] = request.function
    context = contextvars.copy_context()
    request.node.obj = lambda *args, **kwargs: context.run(function, *args, **kwargs)


def test_tasks_and_threads_are_the_models() -> None:
    """Tasks that spawn tasks and use threads, each under labels of its own or inherited; sums kept beside."""
    expected = Counter[str]()
    lock = threading.Lock()

    def note(label: str, size: int) -> None:
        report(size)
        with lock:
            expected[label] += size

    def in_thread(label: str, seed: int) -> None:
        choose = random.Random(seed)
        for _ in range(5):
            note(label, choose.randrange(1, 1000))
            with memtrace.label(inner := f"thread {choose.randrange(3)}"):
                note(inner, choose.randrange(1, 1000))

    async def task(label: str, seed: int, depth: int) -> None:
        choose = random.Random(seed)
        children: list[asyncio.Task[None]] = []
        for step in range(6):
            note(label, choose.randrange(1, 1000))
            await asyncio.sleep(0)
            inner = f"label {choose.randrange(5)}"
            with memtrace.label(inner):
                note(inner, choose.randrange(1, 1000))
                if depth > 0:
                    child: Coroutine[Any, Any, None] = task(inner, choose.getrandbits(32), depth - 1)
                    children.append(asyncio.create_task(child))
                if step == 3:
                    await asyncio.to_thread(in_thread, inner, choose.getrandbits(32))
                else:
                    await asyncio.sleep(0)
                note(inner, choose.randrange(1, 1000))
            note(label, choose.randrange(1, 1000))
        await asyncio.gather(*children)

    async def main() -> None:
        await asyncio.gather(*(task(NO_LABEL, seed, 2) for seed in range(5)))

    asyncio.run(main())
    assert len(expected) == 9
    assert by("label") == expected


def test_what_is_freed_is_the_label_s() -> None:
    with memtrace.label("a"):
        memtrace.track(DOMAIN, 1 << 40, 10)
        memtrace.track(DOMAIN, 2 << 40, 20)
    with memtrace.label("b"):
        memtrace.untrack(DOMAIN, 1 << 40)
    assert by("label") == {"a": 20}


def test_a_label_goes_on_over_eras() -> None:
    with memtrace.label("kept"):
        report(1)
        memtrace.clear_traces()
        report(2)
        assert by("label") == {"kept": 2}
        memtrace.stop()
        memtrace.start(2)
        report(4)
    report(8)
    assert by("label") == {"kept": 4, NO_LABEL: 8}


def test_names_in_files_and_differences(tmp_path: Path) -> None:
    with memtrace.label("first"):
        report(1)
    with memtrace.label("second"):
        report(2)
    old = memtrace.take_snapshot()
    with memtrace.label("second"):
        report(4)
    new = memtrace.take_snapshot()
    new.dump(tmp_path / "new.memtrace")
    loaded = memtrace.Snapshot.load(tmp_path / "new.memtrace")
    assert by("label", loaded) == by("label", new) == {"first": 1, "second": 6}
    grown = {str(s.key): s.size_diff for s in new.compare_to(old, "label")}
    assert grown["second"] == 4


def test_labels_of_different_processes_are_compared_by_name(tmp_path: Path) -> None:
    program = """
import sys, memtrace
memtrace.start()
with memtrace.label("only before"): memtrace.track(79, 1, 1)
with memtrace.label("both"): memtrace.track(79, 2, 2)
memtrace.track(79, 3, 3)
memtrace.take_snapshot().dump(sys.argv[1])
"""
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "old")], check=True)
    with memtrace.label("only after"):
        report(20)
    with memtrace.label("both"):
        report(10)
    report(30)
    chosen = [memtrace.DomainFilter(True, DOMAIN)]
    new = memtrace.take_snapshot().filter_traces(chosen)
    old = memtrace.Snapshot.load(tmp_path / "old").filter_traces(chosen)
    changes = {str(s.key): (s.size, s.size_diff) for s in new.compare_to(old, "label")}
    assert changes == {"both": (10, 8), "only after": (20, 20), "only before": (0, -1), NO_LABEL: (30, 27)}
    back = {str(s.key): (s.size, s.size_diff) for s in old.compare_to(new, "label")}
    assert back == {"both": (2, -8), "only after": (0, -20), "only before": (1, 1), NO_LABEL: (3, -27)}


def test_bad_names() -> None:
    with pytest.raises(TypeError, match="name must be a str, not int"):
        memtrace.label(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name must not be empty"):
        memtrace.label("")


def test_too_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    tags = memtrace._tags
    monkeypatch.setattr(tags, "_MOST_LABELS", len(tags._labels) + 1)
    for name in ("the last one", "too many", "the last one", "far too many"):
        with memtrace.label(name):
            report(1)
    assert by("label") == {"the last one": 2, "other labels": 2}


def test_threads_by_name_and_native_id() -> None:
    me = threading.main_thread()
    report(1)
    ended = threading.Thread(target=report, args=(10,), name="ended")
    ended.start()
    ended.join()
    go_on = threading.Event()

    def stay() -> None:
        report(100)
        go_on.wait()
        report(1000)

    running = threading.Thread(target=stay, name="running")
    running.start()
    while sum(by("thread").values()) < 111:
        pass
    first = by("thread")
    running.name = "renamed"
    go_on.set()
    running.join()
    assert first == {
        f"{me.name} ({me.native_id})": 1,
        f"ended ({ended.native_id})": 10,
        f"running ({running.native_id})": 100,
    }
    second = by("thread")
    assert sorted(second.values()) == [1, 10, 1100]


def test_threads_one_after_the_other_are_told_apart() -> None:
    """They get the same state of the tracer's in turn."""
    threads = [threading.Thread(target=report, args=(2**i,), name=f"number {i}") for i in range(10)]
    for thread in threads:
        thread.start()
        thread.join()
    seen = by("thread")
    assert sorted(seen.values()) == [2**i for i in range(10)]
    # Native ids may come again; a name is right where it is told.
    for key, size in seen.items():
        if key.startswith("number"):
            assert size.bit_length() - 1 in [i for i, thread in enumerate(threads) if f"({thread.native_id})" in key]


def test_a_pool() -> None:
    with ThreadPoolExecutor(3, thread_name_prefix="pool") as pool:
        list(pool.map(report, [1] * 100))
        running = by("thread")
    assert sum(running.values()) == 100
    assert all(key.startswith("pool_") for key in running)
    assert by("thread") == running


@pytest.mark.skipif(not HAS_GIL, reason="there a name is what the system keeps, or the Thread object")
@pytest.mark.parametrize("name", ["plain", "fünf Größen", "名前" * 20, "x" * 100, "\U0001f600" * 30, "\udcff"])
def test_names_of_threads_that_nobody_remembers(name: str) -> None:
    class Subclass(threading.Thread):
        def run(self) -> None:
            report(5)

    Subclass(name=name).start()
    while any(isinstance(thread, Subclass) for thread in threading.enumerate()):
        pass
    gc.collect()
    (key,) = by("thread")
    shown, _, native_id = key.rpartition(" (")
    assert native_id[:-1].isdigit()
    encoded = name.encode("utf-8", "surrogatepass")[:48]
    whole = len(encoded)
    while whole > 44 and (name.encode("utf-8", "surrogatepass") + b"x")[whole] & 0xC0 == 0x80:
        whole -= 1  # inside of a character
    assert shown == encoded[:whole].decode("utf-8", "surrogatepass")


@pytest.mark.skipif(not HAS_GIL, reason="there a name is what the system keeps, or the Thread object")
def test_classes_whose_names_are_programs_are_left_alone() -> None:
    """Nothing of the program's runs in a hook."""
    calls = []

    class Property(threading.Thread):
        _name = property(lambda self: calls.append(1) or "property", lambda self, value: None)  # type: ignore[assignment,func-returns-value]

        def run(self) -> None:
            calls.clear()
            report(5)
            assert not calls

    class Attributes(threading.Thread):
        def __getattribute__(self, name: str) -> Any:
            if name == "_name":
                calls.append(1)
            return super().__getattribute__(name)

        def run(self) -> None:
            calls.clear()
            report(5)
            assert not calls

    for each in (Property, Attributes):
        thread = each()
        thread.start()
        thread.join()
    assert sum(by("thread").values()) == 10


def test_a_thread_without_room_is_one_of_the_others() -> None:
    """More threads than an era tells apart: sums stay right."""
    most = 511

    def work() -> None:
        report(1)

    for _ in range(most + 50):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    seen = by("thread")
    assert sum(seen.values()) == most + 50
    assert seen["other threads"] == 50 + 1  # this one was here first, and has reported nothing


def test_names_of_threads_in_files(tmp_path: Path) -> None:
    report(1)
    snapshot = memtrace.take_snapshot()
    snapshot.dump(tmp_path / "file")
    memtrace.stop()
    loaded = memtrace.Snapshot.load(tmp_path / "file")
    assert by("thread", loaded) == by("thread", snapshot)
    assert len(by("thread", loaded)) == 1
