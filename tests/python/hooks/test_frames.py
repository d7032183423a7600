"""Tracebacks against what the interpreter says of its stack, and against tracemalloc's, on thousands of random stacks."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import os
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import shapes
from shapes import Place, Probe, Program, allocate_and_walk, allocate_only

import memtrace

Start = Callable[[int], None]

NFRAMES = (1, 2, 5, 25, 100, 65535)


Body = Callable[[], None]


def on_a_short_stack(body: Body) -> None:
    """Run it in a thread of its own: pytest's frames are many, and few tests mean them."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            body()
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for failure in failures:
        raise failure


def places_of(traceback: memtrace.Traceback) -> list[Place]:
    return [
        (frame.filename, frame.lineno, frame.function, frame.end_lineno, frame.colno, frame.end_colno)
        for frame in traceback
    ]


def tracebacks_of(probes: list[Probe], snapshot: Any) -> list[Any]:
    """The traceback of each probe's memory, with its depth: get_object_traceback() does not tell that."""
    functions = (allocate_and_walk, allocate_only)
    lines = {line for function in functions for _, _, line in function.__code__.co_lines()}
    by_size = {
        trace.size: trace.traceback
        for trace in snapshot.traces
        if trace.traceback[-1].filename == shapes.__file__ and trace.traceback[-1].lineno in lines
    }
    return [by_size[sys.getsizeof(probe.obj) - sys.getsizeof(bytearray())] for probe in probes]


def assert_as_walked(probes: list[Probe], nframe: int) -> None:
    snapshot = memtrace.take_snapshot()
    of_objects = [memtrace.get_object_traceback(probe.obj) for probe in probes]
    memtrace.stop()
    for probe, traceback, same in zip(probes, tracebacks_of(probes, snapshot), of_objects, strict=True):
        assert places_of(traceback) == probe.places[-nframe:]
        assert traceback.total_nframe == len(probe.places)
        assert same == traceback


def assert_as_tracemalloc(probes: list[Probe]) -> None:
    snapshots = [module.take_snapshot() for module in (memtrace, tracemalloc)]
    # Comparing makes millions of objects, which need not be traced.
    memtrace.stop()
    tracemalloc.stop()
    for ours, theirs in zip(*(tracebacks_of(probes, snapshot) for snapshot in snapshots), strict=True):
        assert [(f.filename, f.lineno) for f in ours] == [(f.filename, f.lineno) for f in theirs]
        assert ours.total_nframe == theirs.total_nframe


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("nframe", NFRAMES)
def test_random_stacks_as_walked(nframe: int, seed: int, tracing: Start) -> None:
    tracing(nframe)
    assert_as_walked(Program(seed, allocate_and_walk, 1000).run(), nframe)


@pytest.fixture
def both() -> Iterator[Callable[[int], None]]:
    """tracemalloc below memtrace: no frame objects are made, so that nothing holds the frames in place."""

    def start(nframe: int) -> None:
        tracemalloc.start(nframe)
        memtrace.start(nframe)

    yield start
    memtrace.stop()
    tracemalloc.stop()


@pytest.mark.parametrize("seed", range(10, 12))
@pytest.mark.parametrize("nframe", NFRAMES)
def test_random_stacks_as_tracemalloc_has_them(nframe: int, seed: int, both: Start) -> None:
    both(nframe)
    # tracemalloc walks all of the stack at every event.
    program = Program(seed, allocate_only, 2000 if nframe <= 25 else 500)
    on_a_short_stack(lambda: program.run() and None)
    assert len(program.probes) >= 500
    assert_as_tracemalloc(program.probes)


def test_random_stacks_in_threads(both: Start) -> None:
    both(25)
    results: list[list[Probe]] = [[] for _ in range(3)]

    def work(index: int) -> None:
        results[index] = Program(index, allocate_only, 500).run()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(results))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(probes) >= 500 for probes in results)
    assert_as_tracemalloc([probe for probes in results for probe in probes])


@pytest.mark.parametrize("nframe", NFRAMES)
def test_recursion_around_the_limit(nframe: int, both: Start) -> None:
    """Depths just below, at and above the limit and its multiples, up and down again."""
    both(nframe)
    base = min(nframe, 100)
    depths = [max(0, factor * base + extra) for factor in (1, 2, 3, 1) for extra in (-6, -5, -4, -3, -2, -1, 0)]
    probes: list[Probe] = []

    def recurse(depth: int, every: int) -> None:
        if depth % every == 0:
            probes.append(allocate_only())
        if depth > 0:
            recurse(depth - 1, every)
        if depth % every == 1:
            probes.append(allocate_only())

    def body() -> None:
        for depth in depths:
            recurse(depth, 1 if depth < 30 else 17)

    on_a_short_stack(body)
    assert len(probes) > len(depths)
    assert_as_tracemalloc(probes)


@pytest.mark.parametrize("nframe", [1, 25])
def test_past_the_recursion_limit(nframe: int, both: Start) -> None:
    """Errors, other limits and generators that end by an exception leave the number of frames right."""
    both(nframe)
    limit = sys.getrecursionlimit()
    probes: list[Probe] = []

    def recurse(depth: int) -> None:
        if depth % 50 == 0:
            probes.append(allocate_only())
        if depth > 0:
            recurse(depth - 1)
        if depth % 70 == 1:
            probes.append(allocate_only())

    def generate(depth: int) -> Iterator[None]:
        probes.append(allocate_only())
        if depth > 0:
            yield from generate(depth - 1)
        yield
        raise RecursionError

    def body() -> None:
        for number in range(6):
            with contextlib.suppress(RecursionError):
                recurse(10 * limit)
            probes.append(allocate_only())
            sys.setrecursionlimit(limit + 37 * (number + 1))
            probes.append(allocate_only())
            with contextlib.suppress(RecursionError):
                list(generate(number * 5))
            recurse(120)
        sys.setrecursionlimit(limit)
        recurse(60)

    try:
        on_a_short_stack(body)
    finally:
        sys.setrecursionlimit(limit)
    assert len(probes) > 100
    assert_as_tracemalloc(probes)


class Chain:
    """len() of it calls len() of the next: two frames of the interpreter for each of the program, and no allocation."""

    def __init__(self, rest: Chain | None, found: list[Probe]) -> None:
        self.rest = rest
        self.found = found

    def __len__(self) -> int:
        if self.rest is not None:
            return len(self.rest)
        self.found.append(allocate_only())
        return 1


@pytest.mark.parametrize("nframe", NFRAMES)
@pytest.mark.parametrize("length", [1, 3, 13, 26])
def test_only_the_outer_frames_differ(nframe: int, length: int, both: Start) -> None:
    """The inner frames come to lie where the last ones lay, at the same instructions; nothing is allocated between."""
    found: list[Probe] = []
    chain = Chain(None, found)
    for _ in range(length):
        chain = Chain(chain, found)

    def plain(depth: int) -> None:
        if depth > 0:
            plain(depth - 1)
        else:
            found.append(allocate_only())

    def body() -> None:
        outermost(0)
        outermost(1)

    def outermost(depth: int) -> None:
        if depth > 0:
            outermost(depth - 1)
        len(chain)
        len(chain), len(chain)
        plain(length)
        plain(length), plain(length)
        len(
            chain,
        )
        plain(
            length,
        )

    both(nframe)
    on_a_short_stack(body)
    assert_as_tracemalloc(found)


def allocate_forever(found: list[Probe]) -> Iterator[None]:
    while True:
        found.append(allocate_only())
        yield


def test_one_generator_resumed_by_many(both: Start) -> None:
    """Its frame stays at its address; who resumes it, and from what depth, changes."""
    found: list[Probe] = []

    generator = allocate_forever(found)

    def first() -> None:
        next(generator)

    def second() -> None:
        next(generator), next(generator)

    def deep(depth: int) -> None:
        if depth == 0:
            next(generator)
        else:
            deep(depth - 1)

    def body() -> None:
        next(generator)
        for _ in range(3):
            first()
            second()
            next(generator)
            deep(1)
            deep(2)
            deep(30)
            deep(29)
            first()

    for nframe in (1, 2, 3, 25):
        both(nframe)
        on_a_short_stack(body)
        assert_as_tracemalloc(found)
        found.clear()


def test_generators_that_resume_one_another(both: Start) -> None:
    both(25)
    found: list[Probe] = []

    def relay(inner: Iterator[None] | None) -> Iterator[None]:
        while True:
            if inner is not None:
                next(inner)
            found.append(allocate_only())
            yield

    innermost = relay(None)
    middle = relay(innermost)
    outer = relay(middle)
    for turn in range(60):
        next((outer, middle, innermost, outer)[turn % 4])
    assert_as_tracemalloc(found)


def test_a_generator_finished_by_the_collector(both: Start) -> None:
    """Code that runs out of nowhere: finally blocks and __del__, under whatever frame is on top."""
    both(25)
    found: list[Probe] = []

    def generate() -> Iterator[None]:
        try:
            yield
        finally:
            found.append(allocate_only())

    class Noisy:
        def __del__(self) -> None:
            found.append(allocate_only())

    def drop() -> None:
        generator = generate()
        next(generator)
        del generator
        noisy = Noisy()
        del noisy

    for _ in range(50):
        drop()
    assert len(found) == 100
    assert_as_tracemalloc(found)


HOT_LOOPS = """
import sys, tracemalloc
import memtrace

class Box:
    def __init__(self, x):
        self.x = bytearray(x)

def make(x):
    return [
        [x, x]]

def make_two(x):
    y = make(x)
    return y, make(
        x)

def count():
    number = 5000
    while True:
        number += 1
        yield str(number)

CALLING = (
    "bytearray(i)", "make(i)", "make_two(i)", "make_two(make(i))[1]", "Box(7).x", "Box(7)", "f'{i} {total}'", "str(i)", "{i: total}",
    "[y for y in (i, total)]", "next(source)", "lambda: i", "[i, total]", "{i, total}", "sorted(('b', 'a'))", "-total", "10**20 * i",
)
OTHER = ("i * total", "i + 2000", "(i, total)", "total - 1.5", "i")

def hot_loop():
    "A loop with a statement a line, which tells its line number where it is sure to be known."
    lines = ["def hot(rounds, keep):", "    source, total = count(), 1.5", "    for i in range(2000, 2000 + rounds):"]
    for expression in CALLING + OTHER:
        lines.append(f"        x = {expression}")
        lines.append(f"        keep(x, {len(lines) if expression in CALLING else 0})")
    lines.append("        total += 0.25")
    exec(compile("\\n".join(lines), "hot.py", "exec"), globals())
    return hot

kept = []
calls, active = [0], [0]
is_active = sys._jit.is_active

def keep(obj, line):
    calls[0] += 1
    active[0] += is_active()
    if calls[0] % 37 == 0:
        kept.append((obj, line))

hot = hot_loop()
tracemalloc.start(25)
memtrace.start(25)
hot(8000, keep)
traced = [(line, memtrace.get_object_traceback(obj), tracemalloc.get_object_traceback(obj)) for obj, line in kept]
memtrace.stop()
tracemalloc.stop()
assert len(kept) > 4000
for line, ours, theirs in traced:
    if ours is None and theirs is None:
        continue  # from a free list, older than both
    assert [(f.filename, f.lineno) for f in ours] == [(f.filename, f.lineno) for f in theirs]
    if line:
        assert [f.lineno for f in ours if f.filename == "hot.py"] == [line], (line, *ours)
print(sys._jit.is_enabled(), *active)
"""


@pytest.mark.parametrize("nframe", (1, 2, 3, 25))
def test_beside_another_evaluator(nframe: int, both: Start, extensions: Path) -> None:
    """PEP 523: frames are somebody else's now and then, and what the tracer does with its own is not done with those."""
    evaluator = importlib.import_module("evaluator")
    found: list[Probe] = []

    generator = allocate_forever(found)

    def level(depth: int, turn: int) -> None:
        found.append(allocate_only())
        # Here, below or not at all: in turn at each depth.
        (evaluator.install if (depth + turn) % 5 < 2 else evaluator.remove)()
        found.append(allocate_only())
        if depth > 0:
            level(depth - 1, turn)
        next(generator)
        found.append(allocate_only())

    def body() -> None:
        for turn in range(10):
            level(turn % 4 * 3, turn)
            evaluator.remove()

    both(nframe)
    before = evaluator.count()
    on_a_short_stack(body)
    assert evaluator.count() > before
    assert_as_tracemalloc(found)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="has no JIT")
def test_hot_loops(run: Callable[..., str]) -> None:
    """In compiled traces, too, a frame says where it is: exactly in calls, and for the rest as tracemalloc sees it.

    What can run no other code, as arithmetic, need not say where it is there. It is charged to what did so last.
    """
    enabled, active = run(HOT_LOOPS, PYTHON_JIT="1").split()
    assert int(active) >= (1000 if enabled == "True" else 0)


@pytest.mark.skipif(sys.version_info < (3, 15), reason="has no field that both use")
def test_beside_a_sampling_profiler(tracing: Start) -> None:
    """The interpreter's own profiler writes the field by which memtrace knows which frames were not left.

    Two functions come to lie at the same address, and so does what they call. Nothing else is allocated.
    """
    remote_debugging = importlib.import_module("_remote_debugging")
    unwinder = remote_debugging.RemoteUnwinder(os.getpid(), all_threads=True, cache_frames=True)
    done = threading.Event()
    samples = 0

    def sample() -> None:
        nonlocal samples
        while not done.is_set():
            with contextlib.suppress(RuntimeError, OSError):  # a stack that changed while it was read
                samples += bool(unwinder.get_stack_trace())
            time.sleep(0)

    def allocate() -> bytearray:
        return bytearray(10)

    def first() -> bytearray:
        return allocate()

    def second() -> bytearray:
        return allocate()

    def alternate() -> list[bytearray]:
        made: list[bytearray] = []
        for _ in itertools.repeat(None, 1000):
            made.append(first())
            made.append(second())
        return made

    profiler = threading.Thread(target=sample)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    profiler.start()
    try:
        while samples < 2000:
            tracing(25)
            for number, obj in enumerate(alternate()):
                traceback = memtrace.get_object_traceback(obj)
                assert traceback is not None
                assert traceback[-2].function.endswith(("first", "second")[number % 2]), number
    finally:
        sys.setswitchinterval(interval)
        done.set()
        profiler.join()


def test_outside_of_python(run: Callable[..., str]) -> None:
    """A block without any Python frame has one frame all the same."""
    program = """
import memtrace, unattached
memtrace.start(25)
unattached.start(1, 1, False)
unattached.wait(1_000)
unattached.stop()
outside = [t for t in memtrace.take_snapshot().traces if t.traceback[-1].filename == "<unknown>"]
assert outside
for trace in outside:
    assert [(f.filename, f.lineno) for f in trace.traceback] == [("<unknown>", 0)]
    assert trace.traceback.total_nframe == 1
"""
    run(program)
