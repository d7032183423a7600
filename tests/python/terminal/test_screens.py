"""The applications in a real terminal, tmux, in two sizes: keys in, screens out."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import memtrace

if TYPE_CHECKING:
    from conftest import Programs, Recorded

SIZES = [(80, 24), (200, 50)]
PATIENCE = 15.0


class Tmux:
    """A server of our own with one window, in which a command runs."""

    def __init__(self, directory: Path, columns: int, rows: int) -> None:
        self._socket = directory / "tmux"
        self._size = ("-x", str(columns), "-y", str(rows))
        self._directory = directory
        self.columns = columns
        self.rows = rows

    def _tmux(self, *words: str) -> str:
        removed = ("TMUX", "COLUMNS", "LINES", "NO_COLOR", "PYTHONMEMTRACE")
        environment = {name: value for name, value in os.environ.items() if name not in removed}
        command = ["tmux", "-f", "/dev/null", "-u", "-S", str(self._socket), *words]
        completed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return completed.stdout

    def start(self, *words: object, variables: tuple[str, ...] = ()) -> None:
        """Run `python -m memtrace` with these words, and say its exit status when it ends."""
        command = shlex.join(["env", *variables, sys.executable, "-m", "memtrace", *map(str, words)])
        program = f"cd {shlex.quote(str(self._directory))}; {command}; echo status $?; sleep 1000"
        self._tmux("new-session", "-d", *self._size, program)

    def press(self, *keys: str) -> None:
        self._tmux("send-keys", *keys)

    def click(self, column: int, row: int) -> None:
        """Press and release the left button, both counted from 1, as a terminal reports it."""
        for letter in "Mm":
            self._tmux("send-keys", "-l", f"\x1b[<0;{column};{row}{letter}")

    def screen(self, *options: str) -> str:
        return self._tmux("capture-pane", "-p", *options)

    def colours(self) -> set[str]:
        """Return the codes of all colours on the screen that are no shade of grey."""
        codes = re.findall(r"[34]8;5;(\d+)|\b[349]([1-6])(?=[;m])", self.screen("-e"))
        greys = {"0", "7", "8", "15", "16", "231", *map(str, range(232, 256))}
        return {large or small for large, small in codes} - greys

    def until(self, *texts: str, without: str = "\0") -> str:
        """Return the screen when it has all these texts, and not that other one."""
        end = time.monotonic() + PATIENCE
        while True:
            screen = self.screen()
            if all(text in screen for text in texts) and without not in screen:
                return screen
            assert time.monotonic() < end, f"{texts}\n{screen}"
            time.sleep(0.05)

    def close(self) -> None:
        subprocess.run(["tmux", "-S", str(self._socket), "kill-server"], capture_output=True, check=False)


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def tmux(request: pytest.FixtureRequest, programs: Programs) -> Iterator[Tmux]:
    tmux = Tmux(programs.directory, *request.param)
    yield tmux
    tmux.close()


def fills(tmux: Tmux, screen: str) -> None:
    """The title is on the first line, the keys are on the last, whole."""
    lines = screen.rstrip("\n").split("\n")
    assert len(lines) == tmux.rows
    assert max(map(len, lines)) <= tmux.columns
    assert lines[-1].rstrip().endswith("q Quit") and "? Help" in lines[-1]


def test_browse(tmux: Tmux, recorded: Recorded) -> None:
    tmux.start("browse", recorded.path)
    screen = tmux.until("by lineno", "program.py:12", "return {", "q Quit")
    fills(tmux, screen)
    assert screen.splitlines()[1].split()[:2] == ["Size", "▼"]
    assert tmux.colours()

    tmux.press("Enter")
    screen = tmux.until("def other(number):", "Allocated", "source")
    fills(tmux, screen)

    tmux.press("c")
    screen = tmux.until("everything: ", "from the outermost down")
    fills(tmux, screen)
    tmux.press("i")
    tmux.until("from the innermost up")
    tmux.press("Down", "Space")
    tmux.until("▼ ", "other")

    tmux.press("t")
    tmux.until("by lineno")
    tmux.press("/")
    tmux.until("/ Filter", " filter")
    tmux.press(*"program.py:2")
    screen = tmux.until("match 'program.py:2'", "program.py:2")
    assert "program.py:12" not in screen.splitlines()[2]
    tmux.press("Escape")
    tmux.until("by lineno\n", "program.py:12")
    tmux.press("g")
    tmux.until("Group by", "function", "generation")
    tmux.press("Down", "Down", "Enter")
    tmux.until("by function", "program.other")
    tmux.press("?")
    tmux.until("Help", "the calls, as a tree", "q leaves.")
    tmux.press("Escape")
    tmux.until("by function", without="q leaves.")
    tmux.press("q")
    tmux.until("status 0")


def test_no_colour_when_it_is_not_wanted(tmux: Tmux, recorded: Recorded) -> None:
    tmux.start("browse", recorded.path, variables=("NO_COLOR=1",))
    tmux.until("by lineno", "q Quit")
    assert not tmux.colours()
    tmux.press("q")
    tmux.until("status 0")


def test_browse_with_the_mouse(tmux: Tmux, snapshots: object, programs: Programs) -> None:
    snapshot = memtrace.Snapshot([(0, size, ((f"file{size}.py", 1),), 1) for size in (100, 300, 200)], 25)
    snapshot.dump(programs.snapshot)
    tmux.start("browse", programs.snapshot.name)
    screen = tmux.until("file300.py:1", "q Quit")
    row = screen.splitlines()[1]
    tmux.click(row.index("Line") + 2, 2)
    tmux.until("Line ▲")
    lines = tmux.until("file100.py:1").splitlines()
    assert [line.split()[-1] for line in lines[2:5]] == ["file100.py:1", "file200.py:1", "file300.py:1"]
    footer = lines[-1]
    tmux.click(footer.index("Calls") + 1, tmux.rows)
    tmux.until("everything: ")


def test_browse_of_differences(tmux: Tmux, programs: Programs) -> None:
    for name, size in (("old.mtrace", 100), ("new.mtrace", 900)):
        memtrace.Snapshot([(0, size, (("file.py", 1),), 1)], 25).dump(programs.directory / name)
    tmux.start("browse", "old.mtrace", "new.mtrace")
    screen = tmux.until("old.mtrace to new.mtrace: +800 B, now 900 B", "+800 B", "file.py:1", "q Quit")
    fills(tmux, screen)


GROWING = """
import sys, time
kept = []
for number in range(int(sys.argv[1])):
    kept.append(bytearray(1_000_000))
    print("round", number, flush=True)
    time.sleep(0.1)
"""


def test_top_of_a_program(tmux: Tmux, programs: Programs) -> None:
    programs.write("growing.py", GROWING)
    tmux.start("top", "--run", "--interval", "0.2", "growing.py", "1000")
    screen = tmux.until("growing.py: running", "growing.py:5", "MiB", "round 1", "█", "q Quit")
    fills(tmux, screen)
    tmux.press("p")
    tmux.until("paused")
    tmux.press("q")
    screen = tmux.until("round", "status 0")
    assert not running("growing.py\x001000")


def test_top_ends_with_its_terminal(tmux: Tmux, programs: Programs) -> None:
    programs.write("growing.py", GROWING)
    tmux.start("top", "--run", "--interval", "0.2", "growing.py", "2000")
    tmux.until("growing.py: running", "round 1")
    outputs = {(process / "fd" / "1").readlink() for process in running("growing.py\x002000")}
    (folder,) = [path.parent for path in outputs if path.name == "output"]
    assert folder.is_dir()
    tmux.close()
    while running("growing.py\x002000"):  # the program, and the application itself
        time.sleep(0.05)
    assert not folder.exists()


def test_sigterm_leaves_the_terminal_as_it_was(tmux: Tmux, programs: Programs) -> None:
    memtrace.Snapshot([(0, 1, (("file.py", 1),), 1)], 25).dump(programs.snapshot)
    path = programs.snapshot.rename(programs.directory / f"term{tmux.rows}.mtrace")
    tmux.start("browse", path)
    tmux.until("file.py:1", "q Quit")
    (process,) = [each for each in running(f"browse\0{path}") if b"sh\0-c" not in read(each / "cmdline")]
    os.kill(int(process.name), signal.SIGTERM)
    tmux.until("status 0", without="q Quit")


def running(words: str) -> list[Path]:
    """Return the processes whose command line has *words*."""
    return [path.parent for path in Path("/proc").glob("[0-9]*/cmdline") if words.encode() in read(path)]


def read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_top_of_a_program_that_ends(tmux: Tmux, programs: Programs) -> None:
    programs.write("growing.py", GROWING + "raise SystemExit(3)")
    tmux.start("top", "--interval", "0.2", "-m", "growing", "3")
    tmux.until("ended with status 3", "round 2", "growing.py:5")
    tmux.press("q")
    tmux.until("round 0\n", "status 3")


def test_top_of_a_file(tmux: Tmux, programs: Programs) -> None:
    programs.write(
        "serving.py",
        "import memtrace, time\nmemtrace.start(5)\nkept = []\n"
        "with memtrace.serve('out.mtrace', 0.05):\n    while True:\n        kept.append(bytearray(1_000_000))\n        time.sleep(0.05)\n",
    )
    process = subprocess.Popen([sys.executable, "serving.py"], cwd=programs.directory)
    try:
        while not programs.snapshot.exists():
            time.sleep(0.01)
        tmux.start("top", "--interval", "0.1", "out.mtrace")
        screen = tmux.until("out.mtrace: ", "serving.py:6", "MiB", "█", "q Quit")
        fills(tmux, screen)
    finally:
        process.kill()
        process.wait()
    tmux.until("unchanged for")
    tmux.press("q")
    tmux.until("status 0")
