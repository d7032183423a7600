"""What `memtrace run` records and shows."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

import pytest

import memtrace

if TYPE_CHECKING:
    from conftest import Programs

HOLD = """\
import sys
def allocate(depth):
    return allocate(depth - 1) if depth else bytearray(1_000_000)
kept = allocate(40)
print('out')
"""

LINE = re.compile(r"^ *977 KiB .* (\S+program\.py:3)$", re.MULTILINE)


def size_of(snapshot: memtrace.Snapshot, name: str) -> int:
    return sum(each.size for each in snapshot.filter_traces([memtrace.Filter(True, name)]).statistics("lineno"))


@pytest.mark.parametrize(
    "ending",
    [
        "",
        "raise ValueError",
        "sys.exit(3)",
        "raise KeyboardInterrupt",
        "import os, signal; os.kill(os.getpid(), 2); input()",
    ],
)
def test_a_snapshot_is_written_however_it_ends(programs: Programs, ending: str) -> None:
    programs.write("program.py", HOLD + ending)
    programs.run("program.py")
    snapshot = memtrace.Snapshot.load(programs.snapshot)
    assert snapshot.traceback_limit == 25
    largest = snapshot.statistics("traceback")[0]
    assert 1_000_000 <= largest.size < 1_001_000
    assert largest.count in (1, 2)
    assert [str(frame) for frame in largest.traceback] == [f"{programs.directory}/program.py:3"] * 25


def test_number_of_frames(programs: Programs) -> None:
    programs.write("program.py", HOLD)
    for words in (["--nframe", "3"], ["-n3"]):
        programs.run(*words, "program.py")
        snapshot = memtrace.Snapshot.load(programs.snapshot)
        assert snapshot.traceback_limit == 3
        assert len(snapshot.statistics("traceback")[0].traceback) == 3


def test_samples_and_limits(programs: Programs) -> None:
    programs.write("program.py", "import memtrace\nstatus = memtrace.status()\nprint(*status[1:3], status.max_memory)")
    words = ("-s", "64 KiB", "--seed", "3", "--max-memory", "16MiB", "-q", "program.py")
    assert programs.run(*words).stdout == "sampled 65536 16777216\n"
    assert memtrace.Snapshot.load(programs.snapshot).sample_interval == 65536


PEAK = """\
import time
def allocate():
    return bytearray(3_000_000)
held = [allocate() for _ in range(3)]
del held
time.sleep(0.05)
kept = allocate()
"""


def test_the_peak_and_a_timeline_are_recorded(programs: Programs) -> None:
    programs.write("program.py", PEAK)
    programs.run("program.py")
    snapshot = memtrace.Snapshot.load(programs.snapshot)
    assert snapshot.peak is not None
    assert size_of(snapshot, "*program.py") // 3_000_000 == 1
    assert size_of(snapshot.peak, "*program.py") // 3_000_000 == 3
    assert [point.size // 3_000_000 for point in snapshot.timeline][-1] == 1
    assert max(point.peak for point in snapshot.timeline) // 3_000_000 == 3
    assert programs.run("--no-timeline", "program.py").stderr == ""
    assert memtrace.Snapshot.load(programs.snapshot).timeline == ()


def test_the_peak_is_shown(programs: Programs) -> None:
    programs.write("program.py", PEAK)
    completed = programs.python("-m", "memtrace", "run", "-o", "here.mtrace", "--at-peak", "program.py")
    assert "memtrace: live at the peak" in completed.stderr
    assert re.search(r"87\d\d KiB .*program\.py:3", completed.stderr)
    # By an interpreter of its own, too.
    programs.write("program.py", PEAK + "import sys; sys.modules['memtrace.cli.at_exit'] = None")
    completed = programs.python("-m", "memtrace", "run", "-o", "here.mtrace", "--at-peak", "program.py")
    assert "memtrace: live at the peak" in completed.stderr


def test_a_program_that_replaces_modules_leaves_everything(programs: Programs) -> None:
    programs.write(
        "program.py", PEAK + "import sys\nfor name in ('json', 'typing', 'struct'): sys.modules[name] = None"
    )
    assert programs.run("program.py").stderr == ""
    snapshot = memtrace.Snapshot.load(programs.snapshot)
    assert snapshot.peak is not None
    assert snapshot.timeline


def test_tasks_are_labelled(programs: Programs) -> None:
    program = """
import asyncio
async def main():
    await asyncio.create_task(work(), name="job")
async def work():
    kept.append(bytearray(50_000))
kept = []
asyncio.run(main())
"""
    programs.write("program.py", program)
    programs.run("--label-tasks", "-q", "program.py")
    labels = {each.key for each in memtrace.Snapshot.load(programs.snapshot).statistics("label")}
    assert "job" in labels


def test_samples_are_refused_as_start_refuses_them(programs: Programs) -> None:
    programs.write("program.py", "print('ran')")
    for words, reason in (
        (("-s", "0"), "sample_interval must be from 1 byte to 1 TiB, not '0'."),
        (("--max-memory", "1 MiB"), "max_memory must be at least 4 MiB, not '1 MiB'."),
        (("--seed", "-1"), "'--seed'"),
    ):
        refused = programs.run(*words, "program.py")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert reason in refused.stderr


def test_run_comes_before_the_environment_and_the_options(programs: Programs) -> None:
    programs.write("program.py", "import memtrace; print(memtrace.get_traceback_limit())")
    environment = {**os.environ, "PYTHONMEMTRACE": "4"}
    assert programs.run("-n", "6", "program.py", env=environment).stdout == "6\n"
    assert programs.run("-n", "6", "program.py", interpreter=["-X", "memtrace=5"]).stdout == "6\n"
    # 0 would leave a program untraced that asks for nothing else.
    assert programs.run("-n", "6", "program.py", interpreter=["-X", "memtrace=0"]).stdout == "6\n"


def test_the_ten_largest_lines_are_shown_on_standard_error(programs: Programs) -> None:
    programs.write("program.py", HOLD)
    completed = programs.python("-m", "memtrace", "run", "-o", "here.mtrace", "program.py")
    assert completed.stdout == "out\n"
    assert LINE.search(completed.stderr)
    assert "return allocate(depth - 1) if depth else bytearray(1_000_000)" in completed.stderr
    assert len(re.findall(r"%  ", completed.stderr)) == 10
    assert re.search(r"^The peak was \d+ KiB\. Snapshot: ", completed.stderr, re.MULTILINE)
    assert str(programs.directory / "here.mtrace") in completed.stderr
    assert f"{os.sep}memtrace{os.sep}" not in completed.stderr


def test_quiet_shows_nothing(programs: Programs) -> None:
    programs.write("program.py", HOLD)
    completed = programs.run("program.py")
    assert (completed.stdout, completed.stderr) == ("out\n", "")


def test_the_default_name_of_the_file(programs: Programs) -> None:
    programs.write("program.py", "import os; print(os.getpid())")
    programs.write("package/tool.py", "import os; print(os.getpid())")
    pids = [
        programs.python("-m", "memtrace", "run", "-q", *words, input="").stdout.strip()
        for words in (["program.py"], ["./package/tool.py"], ["-m", "package.tool"], ["package/"], ["-"])[:3]
    ]
    names = sorted(path.name for path in programs.directory.glob("*.mtrace"))
    assert names == sorted([f"program.{pids[0]}.mtrace", f"tool.{pids[1]}.mtrace", f"package.tool.{pids[2]}.mtrace"])


def test_the_file_does_not_depend_on_what_the_program_does(programs: Programs) -> None:
    programs.write("program.py", "import os, sys; os.mkdir('x'); os.chdir('x'); sys.path.clear(); os.environ.clear()")
    completed = programs.python("-m", "memtrace", "run", "-o", "here.mtrace", "program.py")
    assert (programs.directory / "here.mtrace").exists()
    assert "memtrace: live at exit" in completed.stderr


def test_an_existing_file_is_replaced(programs: Programs) -> None:
    programs.snapshot.write_text("something else")
    programs.write("program.py", HOLD)
    programs.run("program.py")
    assert memtrace.Snapshot.load(programs.snapshot).traceback_limit == 25


def test_a_file_that_cannot_be_written_any_more(programs: Programs) -> None:
    programs.write("program.py", "import os; os.rmdir('sub'); raise SystemExit(7)")
    (programs.directory / "sub").mkdir()
    completed = programs.python("-m", "memtrace", "run", "-o", "sub/file", "program.py")
    assert completed.returncode == 7
    assert f"memtrace: cannot write {programs.directory}/sub/file: No such file or directory\n" in completed.stderr
    assert "live at exit" in completed.stderr


def test_a_program_that_stops_the_tracer(programs: Programs) -> None:
    programs.write("program.py", "import memtrace; memtrace.stop()")
    completed = programs.run("program.py")
    assert completed.returncode == 0
    assert completed.stderr == f"memtrace: the program stopped the tracer, {programs.snapshot} is not written\n"
    assert not programs.snapshot.exists()


def test_a_program_that_asks_for_tracing_itself(programs: Programs) -> None:
    programs.write("program.py", "import memtrace; memtrace.start(1); memtrace.clear_traces(); x = bytearray(5000)")
    programs.run("program.py")
    snapshot = memtrace.Snapshot.load(programs.snapshot)
    assert snapshot.traceback_limit == 25
    assert 5000 <= size_of(snapshot, "*program.py") < 8000


@pytest.mark.parametrize(
    "ending",
    [
        "sys.stderr = io.StringIO()",
        "sys.stderr = None",
        "sys.stderr.close()",
        "sys.__stderr__ = None",
        "os.close(2)",
    ],
)
def test_whatever_becomes_of_standard_error(programs: Programs, ending: str) -> None:
    programs.write("program.py", f"import io, os, sys; print('out'); {ending}")
    completed = programs.python("-m", "memtrace", "run", "-o", str(programs.snapshot), "program.py")
    assert (completed.returncode, completed.stdout) == (0, "out\n")
    assert ("live at exit" in completed.stderr) == (ending in ("sys.stderr = io.StringIO()", "sys.stderr = None"))
    assert programs.snapshot.exists()


@pytest.mark.parametrize("method", ["fork", "os._exit", "spawn"])
def test_children_write_nothing(programs: Programs, method: str) -> None:
    child = {
        "fork": "pid = os.fork()\nif not pid: sys.exit()\nos.waitpid(pid, 0)",
        "os._exit": "pid = os.fork()\nif not pid: os._exit(0)\nos.waitpid(pid, 0)",
        "spawn": "import subprocess; subprocess.run([sys.executable, '-c', 'pass'])",
    }[method]
    programs.write("program.py", f"import os, sys\n{child}\n{HOLD}")
    completed = programs.python("-m", "memtrace", "run", "-o", str(programs.snapshot), "program.py")
    assert completed.stderr.count("live at exit") == 1
    assert size_of(memtrace.Snapshot.load(programs.snapshot), "*program.py") > 1_000_000


def test_reports_work_beside_modules_of_the_same_names(programs: Programs) -> None:
    for name in ("linecache", "fnmatch", "rich", "click", "pickle", "text", "stats"):
        programs.write(f"{name}.py", "raise RuntimeError")
    programs.write("program.py", HOLD)
    completed = programs.python("-m", "memtrace", "run", "-o", str(programs.snapshot), "program.py")
    assert LINE.search(completed.stderr), completed.stderr


@pytest.mark.parametrize(
    "obstacle",
    [
        "import linecache",  # one of its own, in place of the standard library's
        "import sys; sys.addaudithook(lambda event, _: 1 / 0 if event == 'import' else None)",  # as pip does
        "import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); import linecache",
    ],
)
def test_a_program_in_which_the_report_cannot_run(programs: Programs, obstacle: str) -> None:
    programs.write("linecache.py", "")
    programs.write("program.py", f"import sys\n\nkept = bytearray(1_000_000)\n{obstacle}\nsys.exit(4)")
    completed = programs.python("-m", "memtrace", "run", "-o", str(programs.snapshot), "program.py")
    assert completed.returncode == 4
    assert LINE.search(completed.stderr), completed.stderr
    assert "kept = bytearray" in completed.stderr
    assert memtrace.Snapshot.load(programs.snapshot).statistics("lineno")


def test_a_report_that_fails_is_one_line(programs: Programs) -> None:
    program = "import sys\nsys.modules['memtrace.cli.at_exit'] = None\nsys.executable = '/nowhere'\nsys.exit(4)"
    programs.write("program.py", program)
    completed = programs.python("-m", "memtrace", "run", "-o", str(programs.snapshot), "program.py")
    assert completed.returncode == 4
    assert completed.stderr == f"memtrace: cannot show what {programs.snapshot} holds\n"
    assert memtrace.Snapshot.load(programs.snapshot).statistics("lineno")


def test_no_frame_of_memtrace_is_on_the_stack(programs: Programs) -> None:
    programs.write("program.py", HOLD.replace("allocate(40)", "allocate(0)"))
    programs.run("program.py")
    snapshot = memtrace.Snapshot.load(programs.snapshot)
    stacks = [each.traceback for each in snapshot.statistics("traceback") if each.size > 900_000]
    (stack,) = stacks
    assert [str(frame) for frame in stack] == [f"{programs.directory}/program.py:{line}" for line in (4, 3)]


def test_names_that_are_not_utf8(programs: Programs) -> None:
    name = os.fsdecode(b"\xff.py")
    programs.write(name, HOLD)
    completed = programs.python("-m", "memtrace", "run", "-o", os.fsdecode(b"\xfe.mtrace"), name)
    assert completed.stdout == "out\n"
    assert r"\udcff.py:3" in completed.stderr
    assert (programs.directory / os.fsdecode(b"\xfe.mtrace")).exists()


def test_the_interpreter_is_the_same(programs: Programs) -> None:
    programs.write("program.py", "import sys; print(sys.executable, sys.prefix)")
    assert programs.run("program.py").stdout == f"{sys.executable} {sys.prefix}\n"
