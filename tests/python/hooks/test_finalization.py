"""The interpreter's end, with tracing on: what still runs then is traced or passed on, and the exit status is the program's."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from building import SOURCES, Run, compile_c

STARTS = {
    "tracing to the end": "memtrace.start(25)",
    "stopped at exit": "memtrace.start(25)\nimport atexit\natexit.register(memtrace.stop)",
    "stopped when the threads have ended": (
        "memtrace.start(25)\nimport threading\nthreading._register_atexit(memtrace.stop)"
    ),
    "started again at exit": (
        "memtrace.start(25)\nimport atexit\natexit.register(memtrace.start, 3)\natexit.register(memtrace.stop)"
    ),
    "stopped long before": "memtrace.start(25)\nkept = bytearray(1000)\nmemtrace.stop()",
    "stopped by the last object": (
        "memtrace.start(25)\nclass Last:\n    def __del__(self, stop=memtrace.stop): stop()\nimport threading\nthreading.last = Last()"
    ),
}

LATE = """
import atexit, os, sys, threading, weakref
import allocations, memtrace, unattached
{start}

core = memtrace._core
core_functions = core.is_tracing, core.get_traced_memory, core.get_object_traceback, core.clear_traces, core.take_snapshot

class Noisy:
    "Allocates, and asks the tracer, when it goes."
    def __init__(self, name):
        self.name = name
        self.load = [bytearray(100) for _ in range(10)]
    # Bound early: by the time it runs, the modules have been emptied.
    def __del__(self, core=core_functions, write=os.write, range=range, str=str):
        self.load += [str(i) * 50 for i in range(50)]
        is_tracing, traced, find, clear, take = core
        if is_tracing():
            assert traced()[0] > 0
            find(self)
            clear()
            self.load += [str(i) * 50 for i in range(50)]
            take(True)
        write(1, self.name.encode() + b"\\n")

def at_exit(noisy):
    kept.extend(Noisy("kept at exit") for _ in range(3))
    allocations.malloc(5, allocations.RAW_WITHOUT_GIL, 100)
    if memtrace.is_tracing():
        sys.snapshot = memtrace.take_snapshot()
        len(sys.snapshot.traces)

kept = [Noisy("kept")]
cycle = [Noisy("in a cycle")]
cycle.append(cycle)
threading.noisy = Noisy("of a module")
atexit.register(at_exit, Noisy("of atexit"))
weakref.finalize(threading.noisy, Noisy, "of a finalizer")
unattached.here(1000, 1, False)
"""


@pytest.mark.parametrize("start", STARTS)
def test_what_runs_last(start: str, run: Run) -> None:
    program = LATE.format(start=STARTS[start])
    bare = run(LATE.format(start=""))
    assert len(bare.splitlines()) >= 7, bare
    assert run(program) == bare
    assert run(program + "sys.exit(7)", status=7) == bare


ENDS = {
    "falls off its end": ("", 0, ""),
    "sys.exit": ("sys.exit(7)", 7, ""),
    "sys.exit in a thread": ("t = threading.Thread(target=sys.exit, args=(3,)); t.start(); t.join()", 0, ""),
    "sys.exit with text": ("sys.exit('text')", 1, "text\n"),
    "os._exit": ("os._exit(9)", 9, ""),
    "a signal": ("os.kill(os.getpid(), 15)", -15, ""),
    "os.abort": ("os.abort()", -6, ""),
    "exec": ("os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", 5, ""),
}


@pytest.mark.parametrize("end", ENDS)
def test_exit_status_is_the_programs(end: str, run: Run) -> None:
    statement, status, stderr = ENDS[end]
    program = f"import os, sys, threading, memtrace\nmemtrace.start(10)\n{statement}\n"
    run(program, status=status, stderr=stderr)


@pytest.mark.parametrize("start", STARTS)
def test_blocks_freed_after_the_interpreter(start: str, run: Run) -> None:
    """By atexit handlers of the C library, by Py_AtExit, and by static destructors."""
    output = run(f"import sys, last_words, memtrace\n{STARTS[start]}\nlast_words.hold()\nsys.exit(4)", status=4)
    assert sorted(output.split()) == ["Py_AtExit", "atexit", "destructor"]


DAEMONS = """
import os, sys, threading, time
import allocations, memtrace, unattached
memtrace.start(25)
def with_gil():
    while True:
        [bytearray(i) for i in range(50)]
def without_gil(seed):
    # Long enough without the GIL for the interpreter to go down meanwhile.
    def deeper(depth):
        if depth: deeper(depth - 1)
        while True:
            unattached.here(20_000_000, seed, False)
    deeper(seed * 5)
threads = [threading.Thread(target=with_gil, daemon=True)]
threads += [threading.Thread(target=without_gil, args=(seed,), daemon=True) for seed in range(3)]
for thread in threads: thread.start()
unattached.start(1, 9, False)
time.sleep(0.05)
sys.exit(6)
"""


def test_daemon_threads_at_the_end(run: Run) -> None:
    """They go on allocating without the GIL while the interpreter's structures are freed under them."""
    for _ in range(15):
        run(DAEMONS, status=6)


def test_a_daemon_thread_in_a_generator(run: Run) -> None:
    run(
        """
import sys, threading, time, memtrace
memtrace.start(5)
def generate():
    while True:
        yield [bytearray(10) for _ in range(10)]
def work():
    for item in generate():
        time.sleep(0)
threading.Thread(target=work, daemon=True).start()
time.sleep(0.1)
"""
    )


PROGRAMS = {
    "leaves tracing on": "import memtrace\nmemtrace.start(5)\nkept = [bytearray(i) for i in range(1000)]",
    "stops": "import memtrace\nmemtrace.start(5)\nkept = [bytearray(i) for i in range(1000)]\nmemtrace.stop()",
    "looks": """
import memtrace
memtrace.start(5)
kept = [bytearray(i) for i in range(1000)]
assert memtrace.get_object_traceback(kept[3])[-1].lineno == 4
assert len(memtrace.take_snapshot().traces) > 1000
memtrace.clear_traces()
again = [bytearray(i) for i in range(1000)]
assert memtrace.get_object_traceback(again[3])[-1].lineno == 8
""",
}


@pytest.fixture(scope="module")
def embedding(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with three interpreters one after the other."""
    output = tmp_path_factory.mktemp("embedding") / "embed"
    libdir = sysconfig.get_config_var("LIBDIR")
    if not Path(libdir, sysconfig.get_config_var("LDLIBRARY")).exists():
        pytest.skip("this interpreter comes without a library to embed")
    library = f"-lpython{sysconfig.get_config_var('LDVERSION')}"
    # The first for a library that is not shared: extensions look for its functions in the program.
    rest = [
        each for name in ("LINKFORSHARED", "LIBS", "SYSLIBS") for each in (sysconfig.get_config_var(name) or "").split()
    ]
    compile_c("-o", str(output), str(SOURCES / "embed.c"), f"-L{libdir}", f"-Wl,-rpath,{libdir}", library, *rest)
    return output


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_interpreter_after_another(program: str, embedding: Path) -> None:
    path = os.pathsep.join(entry for entry in sys.path if entry)
    completed = subprocess.run(
        [str(embedding), PROGRAMS[program]],
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
        env={**os.environ, "PYTHONHOME": sys.base_prefix, "PYTHONPATH": path},
    )
    told = completed.stdout + completed.stderr
    assert (completed.returncode, completed.stdout) == (0, "round 1\nround 2\nround 3\n"), told
