"""Who switches stacks: greenlets, event loops, generators. A traceback is that of the frames that run."""

from __future__ import annotations

import pytest
from building import Run
from interpreter import needs_package_with_gil

PREAMBLE = """
import faulthandler, gc, random, sys, threading
import memtrace, workload
from sums import assert_sums_agree, await_sums_agree
from workload import assert_traced_here
faulthandler.dump_traceback_later(250, exit=True)
choose = random.Random(1)

def within(depth, then):
    "Calls then() from a recursion, looking on the way down and up."
    if depth % 3 == 0: assert_traced_here()
    if depth > 0:
        within(depth - 1, then)
    else:
        then()
    if depth % 4 == 0: assert_traced_here()
"""

GREENLETS = """
import greenlet
memtrace.start({frames})
def switch():
    for _ in range(choose.randrange(1, 6)):
        assert_traced_here()
        kept.append([bytearray(choose.randrange(100)) for _ in range(20)])
        main.switch()
        assert_traced_here()
def live(depth):
    while True: within(depth, switch)
kept = []
main = greenlet.getcurrent()
living = [greenlet.greenlet(live) for _ in range(12)]
for turn, each in enumerate(living): each.switch(turn * 3)
for turn in range(600):
    index = choose.randrange(len(living))
    assert_traced_here()
    within(choose.randrange(8), living[index].switch)
    if turn % 40 == 0:
        # Ended by an exception in the middle of its stack; what it kept goes with it.
        living[index].throw(greenlet.GreenletExit)
        living[index] = greenlet.greenlet(live)
        living[index].switch(choose.randrange(30))
    if turn % 100 == 0:
        kept.clear()
        gc.collect()
        assert_sums_agree()
    if turn == 300: memtrace.clear_traces()
del living, kept
gc.collect()
assert_sums_agree()

# In a thread of its own, and ended by the end of the thread.
def work():
    def other():
        within(9, lambda: parent.switch())
    parent = greenlet.getcurrent()
    each = greenlet.greenlet(other)
    within(3, each.switch)
    assert_traced_here()
threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert_traced_here()
assert_sums_agree()
"""


@needs_package_with_gil
@pytest.mark.parametrize("frames", [1, 12, 100])
def test_greenlets(frames: int, run: Run) -> None:
    run(PREAMBLE + GREENLETS.format(frames=frames))


@needs_package_with_gil
@pytest.mark.parametrize("frames", [1, 12, 100])
def test_greenlets_in_generators_called_from_c(frames: int, run: Run) -> None:
    """Each such call has a frame of the interpreter's own on the C stack, at the same address in each greenlet."""
    run(
        PREAMBLE
        + f"""
import greenlet
memtrace.start({frames})
def generate(depth, then):
    if choose.randrange(2): assert_traced_here()
    if depth == 0: then()
    else: list(generate(depth - 1, then))
    yield bytearray(50)
    if choose.randrange(2): assert_traced_here()
def switch():
    if choose.randrange(2): assert_traced_here()
    choose.choice(others).switch()  # with no look at the main one's stack in between
    if choose.randrange(2): assert_traced_here()
def live(depth):
    while True: list(generate(depth, switch))
# A generator that one greenlet leaves suspended, and the next goes on with.
def take_turns():
    while True:
        if choose.randrange(2): assert_traced_here()
        yield [bytearray(50)]
shared = take_turns()
def share():
    while True:
        next(shared)
        switch()
        if choose.randrange(2): next(shared)
main = greenlet.getcurrent()
living = [greenlet.greenlet(live) for _ in range(6)] + [greenlet.greenlet(share) for _ in range(3)]
others = [main]
for turn, each in enumerate(living): each.switch(*[turn % 3 + 2] * (turn < 6))
others += living
for turn in range(1000):
    each = choose.choice(living)
    if choose.randrange(2): each.switch()
    else: list(generate(choose.randrange(3), each.switch))
assert_sums_agree()
"""
    )


@needs_package_with_gil
def test_gevent(run: Run) -> None:
    run(
        PREAMBLE
        + """
import gevent, gevent.event, gevent.pool
memtrace.start(60)
def live(depth):
    for _ in range(5):
        within(depth, lambda: gevent.sleep(0))
        assert_traced_here()
pool = gevent.pool.Pool(20)
for turn in range(50): pool.spawn(live, turn % 25)
within(5, pool.join)
assert_sums_agree()
# Real threads below a loop.
threads = gevent.get_hub().threadpool
results = [threads.spawn(within, 10, assert_traced_here) for _ in range(20)]
within(3, lambda: gevent.joinall(results))
for result in results: result.get()
killed = gevent.spawn(within, 10, lambda: gevent.sleep(1000))
gevent.sleep(0)
killed.kill()
assert_traced_here()
await_sums_agree()  # the pool's threads may still be at it
"""
    )


@pytest.mark.parametrize("frames", [1, 12, 100])
def test_an_exception_thrown_into_coroutines_that_wait_for_one_another(frames: int, run: Run) -> None:
    """The outer ones are put on the stack without being resumed, and taken off it without being left."""
    run(
        PREAMBLE
        + f"""
import itertools, types
memtrace.start({frames})
# Decides without an allocation, which would be an event of its own.
look = itertools.cycle([choose.random() < 0.5 for _ in range(997)]).__next__
@types.coroutine
def pause():
    yield
    if look(): assert_traced_here()
async def catch():
    while True:
        try:
            await pause()
            if look(): assert_traced_here()
        except KeyError:
            if look(): assert_traced_here()
            if look(): within(3, assert_traced_here)
            if next(seldom): assert_depth_here()
async def wait(depth):
    if depth: await wait(depth - 1)
    else: await catch()
def assert_depth_here():
    made = bytearray(77_777)
    depth = 0
    frame = sys._getframe()
    while frame: frame, depth = frame.f_back, depth + 1
    [trace] = [each for each in memtrace.take_snapshot().traces if 77_777 <= each.size < 77_900]
    assert trace.traceback.total_nframe == depth, (trace.traceback.total_nframe, depth)
def drive(waiting):
    if look(): waiting.throw(error)
    waiting.send(None)
    waiting.throw(error)
    waiting.throw(error)
    waiting.send(None)
    waiting.send(None)
    if look(): assert_traced_here()
    waiting.throw(error)
    if look(): within(2, lambda: waiting.throw(error))
    waiting.send(None)
error, seldom = KeyError(), itertools.cycle([True, False, False, False, False])
for turn in range(60):
    waiting = wait(turn % 7)
    waiting.send(None)
    if turn % 20 == 7: look = lambda: True
    for _ in range(4): drive(waiting)
    waiting.close()
    if turn % 20 == 7: look = itertools.cycle([choose.random() < 0.5 for _ in range(997)]).__next__
assert_traced_here()
assert_sums_agree()
"""
    )


ASYNC = """
import asyncio
memtrace.start(60)
async def deeper(depth):
    assert_traced_here()
    if depth == 0:
        await asyncio.sleep(0)
        # Woken by the loop: the stack is that of the loop and of the coroutines from the task down.
        assert_traced_here()
        within(4, assert_traced_here)
    else:
        await deeper(depth - 1)
    assert_traced_here()

async def generate(count):
    try:
        for number in range(count):
            await asyncio.sleep(0)
            assert_traced_here()
            yield [number] * 10
    finally:
        assert_traced_here()
        await asyncio.sleep(0)
        assert_traced_here()

async def leave_early():
    async for item in generate(10):
        assert_traced_here()
        break

async def main():
    asyncio.get_running_loop().slow_callback_duration = 1000  # or debug mode tells of a busy machine
    async with asyncio.TaskGroup() as group:
        for turn in range(60):
            group.create_task(deeper(turn % 20))
            group.create_task(leave_early())
    cancelled = asyncio.create_task(deeper(15))
    await asyncio.sleep(0)
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    await asyncio.get_running_loop().run_in_executor(None, within, 6, assert_traced_here)
    # Suspended when the loop ends, which closes them.
    for _ in range(5): await anext(unfinished := generate(3)); kept.append(unfinished)
kept = []
{run}
assert_traced_here()
kept.clear()
gc.collect()
assert_sums_agree()
"""


@pytest.mark.parametrize("debug", [False, True])
def test_asyncio(debug: bool, run: Run) -> None:
    run(PREAMBLE + ASYNC.format(run=f"asyncio.run(main(), debug={debug})"))


@needs_package_with_gil
def test_uvloop(run: Run) -> None:
    loop = "import uvloop\nwith asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner: runner.run(main())"
    run(PREAMBLE + ASYNC.format(run=loop))


def test_suspended_generators_end_elsewhere(run: Run) -> None:
    """Suspended at one depth, and finished by the collector at another, in another thread, at exit."""
    run(
        PREAMBLE
        + """
memtrace.start(60)
ended = []
def generate(depth):
    try:
        if depth > 0:
            yield from generate(depth - 1)
        else:
            assert_traced_here()
            yield [0] * 10
            assert_traced_here()
    finally:
        assert_traced_here()
        ended.append([bytearray(50)])
def suspend(depth):
    made = generate(depth)
    next(made)
    return made
def forget(): del suspended[:10]
def collect():
    cycle = [suspend(3)]
    cycle.append(cycle)
    del cycle
    gc.collect()
for turn in range(20):
    suspended = [suspend(depth % 15) for depth in range(40)]
    within(turn, forget)
    thread = threading.Thread(target=within, args=(5, forget))
    thread.start()
    thread.join()
    within(turn % 7, collect)
    for made in suspended: assert list(made) == []
assert len(ended) > 1000
suspended = [suspend(depth) for depth in range(20)]
assert_traced_here()
assert_sums_agree()
# Without a GIL modules are torn down before what they hold is finalized.
if not getattr(sys, "_is_gil_enabled", lambda: True)(): del suspended
"""
    )


def test_threads_made_by_c(run: Run) -> None:
    """They call into Python with a thread state that comes and goes."""
    run(
        PREAMBLE
        + """
import strangers
memtrace.start(60)
calls = []
def called():
    calls.append(threading.get_ident())
    within(12, assert_traced_here)
    if len(calls) % 10 == 0: strangers.call_in_thread(called)
for turn in range(60):
    within(turn % 9, lambda: strangers.call_in_thread(called))
    if turn % 20 == 0:
        memtrace.stop()
        memtrace.start(60)
assert len(calls) == 66
assert_sums_agree()
"""
    )
