"""fork() at any moment, and the pools of multiprocessing: the child is traced as its parent was, and never waits for a thread that it does not have."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import pytest
from building import Run

PREAMBLE = """
import faulthandler, os, signal, sys, threading, warnings
import memtrace, strangers, unattached, workload
from sums import assert_sums_agree
faulthandler.dump_traceback_later(250, exit=True)
warnings.simplefilter("ignore", DeprecationWarning)  # fork() in a process with threads

def fork(check):
    "Run check() in a child; its exit status must be 0."
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(120)
            check()
            status = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0, status

def use_everything():
    assert memtrace.is_tracing()
    workload.deeper(60)
    kept = workload.work()
    assert_sums_agree()
    memtrace.take_snapshot().statistics("traceback")
    memtrace.clear_traces()
    memtrace.stop()
    memtrace.start(9)
    del kept
    workload.release()
    workload.deeper(5)
    assert_sums_agree()
"""

# What makes the tracer ask its heap for memory, over and over: new code with names that are not ASCII, which it encodes, stacks
# that outgrow their buffers, threads whose state another takes over, and eras, which know no code at all.
GROWING = """
import callers
finished = False
# Before, the child waits for a lock that a thread held whose state came or went: CPython's gh-112275.
MAY_FORK_AS_THREADS_END = sys.version_info >= (3, 12)
NAMES = ["ä" * size for size in (10, 300, 5_000, 40_000)]
def recurse(depth, function):
    if depth > 0: recurse(depth - 1, function)
    else: function()
def new_code(turn):
    name = f"{NAMES[turn % 4]}{turn}"
    namespace = {"callers": callers}
    exec(compile(f"def {name}(depth):\\n if depth > 0: {name}(depth - 1)\\n else: callers.here(30, {turn}, False)", f"ö{turn}.py", "exec"), namespace)
    namespace[name](turn % 50)
def grow(seed):
    turn = seed
    while not finished:
        turn += 7
        if turn % 3 == 0 and MAY_FORK_AS_THREADS_END:
            # A new thread takes over the state of one that has ended.
            thread = threading.Thread(target=recurse, args=(turn % 400, lambda: callers.here(30, turn, False)))
            thread.start()
            thread.join()
        else:
            new_code(turn)
def look():
    turn = 0
    while not finished:
        turn += 1
        memtrace.take_snapshot().statistics("traceback")
        if turn % 5 == 0: memtrace.clear_traces()
        if turn % 7 == 0:
            memtrace.stop()
            memtrace.start(25)
memtrace.start(25)
unattached.start(2, 3, MAY_FORK_AS_THREADS_END)
threads = [threading.Thread(target=grow, args=(seed,), daemon=True) for seed in range(3)]
threads.append(threading.Thread(target=look, daemon=True))
for thread in threads: thread.start()
"""
END = """
finished = True
for thread in threads: thread.join()
unattached.stop()
if not memtrace.is_tracing(): memtrace.start(25)
assert_sums_agree()
"""


def test_fork_while_others_grow_the_tracer(run: Run) -> None:
    run(
        PREAMBLE
        + GROWING
        + """
def check():
    global finished
    if not memtrace.is_tracing(): memtrace.start(25)
    for turn in range(20): new_code(1_000_000 + turn)
    use_everything()
    finished = True
def fork_here(count):
    for _ in range(count): fork(check)
fork_here(6)
# A thread that is not the main one, and becomes it in the child.
forking = threading.Thread(target=fork_here, args=(6,))
forking.start()
forking.join()
"""
        + END
    )


def test_fork_without_the_gil(run: Run) -> None:
    """By C, in a thread of Python's and in one that it does not know; Python cannot be used in such a child."""
    run(
        PREAMBLE
        + GROWING
        + """
for own_thread in (False, True):
    assert strangers.fork_without_gil(40, 500, own_thread) == 0
"""
        + END
    )


def work_in_pool(size: int) -> tuple[int, int]:
    """Run in a worker: the limit of its tracer, and what is wrong with it."""
    import memtrace

    if not memtrace.is_tracing():
        return 0, 0
    import workload
    from sums import assert_sums_agree

    kept = [bytearray(size) for _ in range(100)]
    workload.deeper(40)
    assert_sums_agree()
    memtrace.take_snapshot().statistics("lineno")
    faults = 0
    for made in kept:
        traceback = memtrace.get_object_traceback(made)
        faults += traceback is None or not traceback[-1].filename.endswith("test_processes.py")
    return memtrace.get_traceback_limit(), faults


POOL = """
import multiprocessing, concurrent.futures, sys
from test_processes import work_in_pool
if __name__ == "__main__":
    import memtrace, workload
    from sums import assert_sums_agree
    assert memtrace.get_traceback_limit() == 25 and memtrace.is_tracing()
    context = multiprocessing.get_context({method!r})
    with context.Pool(2, maxtasksperchild=1) as pool:
        found = set(pool.map(work_in_pool, [1000] * 4, chunksize=1))
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
        found |= set(executor.map(work_in_pool, [1000] * 2))
    assert found == {{({limit}, 0)}}, found
    workload.deeper(30)
    assert_sums_agree()
    print("done")
"""
# multiprocessing hands unknown -X options on from 3.14 on.
OPTION_REACHES = "all" if sys.version_info >= (3, 14) else "fork"
TRACED = [(("-X", "memtrace=25"), {}, OPTION_REACHES), ((), {"PYTHONMEMTRACE": "25"}, "all")]


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
@pytest.mark.parametrize(("options", "variables", "reaches"), TRACED, ids=["option", "variable"])
def test_pools(
    method: str, options: tuple[str, ...], variables: dict[str, str], reaches: str, run: Run, tmp_path: Path
) -> None:
    """An option is for its process and what is forked from it, the variable for every interpreter."""
    program = tmp_path / "program.py"
    limit = 25 if reaches == "all" or method == reaches else 0
    program.write_text(POOL.format(method=method, limit=limit))
    assert run(program, *options, "-W", "ignore::DeprecationWarning", **variables) == "done\n"


@pytest.mark.skipif(sys.version_info < (3, 12), reason="interpreters with a GIL of their own came with 3.12")
def test_fork_while_another_interpreter_grows_the_tracer(run: Run, tmp_path: Path) -> None:
    """By C: the interpreter's own fork(), of a process with two, ends in a fatal error of its own at times."""
    module = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    running = tmp_path / "running"
    running.touch()
    own = f"""
import os
turn = 0
while os.path.exists({str(running)!r}):
    turn += 1
    name = "\u00e4" * 3000 + str(turn)
    namespace = {{}}
    exec(f"def {{name}}(depth): return [depth] if depth == 0 else {{name}}(depth - 1)", namespace)
    namespace[name](turn % 200)
"""
    run(
        PREAMBLE
        + f"""
import {module} as interpreters
memtrace.start(25)
interpreter = interpreters.create()
thread = threading.Thread(target=interpreters.run_string, args=(interpreter, {own!r}))
thread.start()
for own_thread in (False, True):
    assert strangers.fork_without_gil(40, 500, own_thread) == 0
os.unlink({str(running)!r})
thread.join()
interpreters.destroy(interpreter)
workload.deeper(10)
assert_sums_agree()
"""
    )
