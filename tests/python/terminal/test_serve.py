"""memtrace.serve(): a program writes snapshots of itself, and notices as little of it as can be."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import memtrace

if TYPE_CHECKING:
    from conftest import Programs


@pytest.fixture
def tracing() -> object:
    memtrace.start(5)
    yield
    memtrace.stop()


def wait_for_another(path: Path, before: int) -> int:
    while (now := path.stat().st_mtime_ns if path.exists() else 0) == before:
        time.sleep(0.005)
    return now


@pytest.mark.usefixtures("tracing")
def test_the_file_is_written_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "a.mtrace"
    names = [thread.name for thread in threading.enumerate()]
    with memtrace.serve(path, 0.01) as server:
        assert [thread.name for thread in threading.enumerate()] == names
        written = 0
        for _ in range(3):
            written = wait_for_another(path, written)
        kept = bytearray(1_234_567)
        assert "serving" in repr(server)
    assert "stopped" in repr(server)
    sizes = [each.size for each in memtrace.Snapshot.load(path).statistics("lineno")]
    assert any(1_234_567 <= size < 1_234_800 for size in sizes)  # the last one is of the end
    last = path.stat().st_mtime_ns
    server.stop()
    time.sleep(0.05)
    assert path.stat().st_mtime_ns == last and [each.name for each in tmp_path.iterdir()] == ["a.mtrace"]
    del kept


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="must be tracing memory allocations to serve snapshots"):
        memtrace.serve(tmp_path / "a.mtrace")
    memtrace.start()
    try:
        for interval in (0, -1, 0.001, 1e9, float("nan"), float("inf")):
            with pytest.raises(ValueError, match="interval must be from"):
                memtrace.serve(tmp_path / "a.mtrace", interval)
        with pytest.raises(TypeError):
            memtrace.serve(5)  # type: ignore[arg-type]
    finally:
        memtrace.stop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("tracing")
def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "no" / "a.mtrace"
    with memtrace.serve(path, 0.01) as server:
        while server.error is None:
            time.sleep(0.005)
        assert isinstance(server.error, FileNotFoundError)
        path.parent.mkdir()
        wait_for_another(path, 0)
    assert server.error is None


def test_it_outlives_stop_and_start(tmp_path: Path) -> None:
    path = tmp_path / "a.mtrace"
    memtrace.start()
    server = memtrace.serve(path, 0.01)
    try:
        wait_for_another(path, 0)
        memtrace.stop()
        time.sleep(0.03)
        memtrace.start()
        path.unlink()
        wait_for_another(path, 0)
        memtrace.stop()
    finally:
        server.stop()
    assert server.error is None


NOTICED = """
import sys
before = set(sys.modules)
import threading, os
print([thread.name for thread in threading.enumerate()], threading.active_count(), sys._xoptions)
print(sorted(name for name in before if name in ("json", "threading", "pathlib", "re", "typing", "subprocess")))
print(sys.argv, sys.flags.dev_mode, os.environ.get("PYTHONMEMTRACE"))
"""


@pytest.mark.parametrize("wait", ["", "import time; time.sleep(0.2)"])
def test_what_a_program_notices(programs: Programs, wait: str) -> None:
    programs.write("program.py", NOTICED + wait)
    bare = programs.python("program.py", "a")
    serving = ("-X", "memtrace=25", "-X", f"memtrace_serve=0.01,{programs.snapshot}")
    completed = programs.python(*serving, "program.py", "a")
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, bare.stdout, bare.stderr)
    assert memtrace.Snapshot.load(programs.snapshot).traceback_limit == 25


def test_modules_of_the_program_are_not_imported(programs: Programs) -> None:
    for name in ("json", "linecache", "pathlib", "traceback", "threading"):
        programs.write(f"{name}.py", "raise SystemExit('imported')")
    programs.write("program.py", "import time; kept = bytearray(1_000_000); time.sleep(0.1)")
    completed = programs.python("-X", "memtrace", "-X", f"memtrace_serve=0.01,{programs.snapshot}", "program.py")
    assert (completed.returncode, completed.stderr) == (0, "")
    assert max(each.size for each in memtrace.Snapshot.load(programs.snapshot).statistics("filename")) >= 1_000_000


# Ends when a snapshot has been written that was taken later: the second after the file has been removed.
BEGINNING = """
import os, sys, time, warnings
warnings.simplefilter("ignore")
kept = [bytearray(1_000_000)]
for _ in range(2):
    while not os.path.exists(sys.argv[1]):
        time.sleep(0.001)
    os.unlink(sys.argv[1])
while not os.path.exists(sys.argv[1]):
    time.sleep(0.001)
"""
ENDS = {
    "normal": ("", 0),
    "exception": ("raise ValueError", 1),
    "exit": ("sys.exit(7)", 7),
    "busy threads": (
        "import threading\ndef work():\n    while True: bytearray(1000)\n"
        "for _ in range(3): threading.Thread(target=work, daemon=True).start()",
        0,
    ),
    "abrupt": ("os._exit(3)", 3),
    "fork": ("if not os.fork():\n    kept.append(bytearray(50_000_000)); sys.exit(0)\nos.wait()", 0),
}


@pytest.mark.parametrize("end", ENDS)
def test_every_end_of_a_program(programs: Programs, end: str) -> None:
    code, status = ENDS[end]
    programs.write("program.py", BEGINNING + code)
    for _ in range(5):
        programs.snapshot.unlink(missing_ok=True)
        serving = ("-X", "memtrace", "-X", f"memtrace_serve=0.01,{programs.snapshot}")
        completed = programs.python(*serving, "program.py", str(programs.snapshot))
        assert completed.returncode == status, completed.stderr
        sizes = [each.size for each in memtrace.Snapshot.load(programs.snapshot).statistics("filename")]
        assert 1_000_000 <= max(sizes) < 50_000_000


@pytest.mark.usefixtures("tracing")
def test_a_forked_child_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mtrace"
    with memtrace.serve(path, 1000) as server:
        before = wait_for_another(path, 0)
        child = os.fork()
        if not child:
            server.stop()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        assert path.stat().st_mtime_ns == before


def test_where_the_thread_can_be_seen(programs: Programs) -> None:
    """What the documentation says; when this fails there is less to say."""
    programs.write("program.py", "import sys, time; time.sleep(0.1); print(len(sys._current_frames()))")
    completed = programs.python("-X", "memtrace", "-X", f"memtrace_serve=1,{programs.snapshot}", "program.py")
    assert completed.stdout == ("2\n" if sys.implementation.name == "cpython" else "")
