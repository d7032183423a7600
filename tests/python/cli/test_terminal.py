"""What a person at a terminal sees: Rich's tables, which fit the window."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

if TYPE_CHECKING:
    from conftest import Programs

COLOURS = re.compile("\x1b\\[[0-9;]*m")


class Terminal:
    """A window of a given width that keeps what was written to it."""

    def __init__(self, directory: Path, columns: int = 80, rows: int = 24) -> None:
        self.directory = directory
        self.columns = columns
        self.rows = rows

    def run(self, *words: object, **variables: str) -> str:
        """Return what the command `python -m memtrace` writes, its standard output and error together."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        removed = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONMEMTRACE")
        environment = {name: value for name, value in os.environ.items() if name not in removed}
        child = subprocess.Popen(
            [sys.executable, "-m", "memtrace", *map(str, words)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=self.directory,
            env=environment | {"TERM": "xterm-256color"} | variables,
        )
        os.close(theirs)
        written = b"".join(self._read(ours))
        os.close(ours)
        assert child.wait(timeout=280) == 0
        return written.decode().replace("\r\n", "\n")

    @staticmethod
    def _read(descriptor: int) -> Iterator[bytes]:
        while True:
            try:
                part = os.read(descriptor, 65536)
            except OSError:  # the other side is closed
                return
            if not part:
                return
            yield part


LONG = "/a/rather/long/path/of/the/kind/that/virtual/environments/have/site-packages/package/module.py"


@pytest.fixture
def file(snapshots: Callable[..., Path], tmp_path: Path) -> Path:
    source = tmp_path / "module.py"
    source.write_text(
        "values = [number * 2 for number in range(1000) if number % 3 == 0 or number % 5 == 0] # and so on\n"
    )
    return snapshots(
        "file.mtrace",
        (0, 5000, ((str(source), 1),), 1),
        (0, 4000, ((LONG, 12345),), 1),
        (0, 3000, (("\x1b[31m[bold]x[/bold]:bomb:", 7),), 1),
    )


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_tables_fit_the_window(tmp_path: Path, file: Path, columns: int) -> None:
    written = Terminal(tmp_path, columns).run("stats", file.name)
    assert COLOURS.search(written)
    screen = COLOURS.sub("", written)
    assert "\x1b" not in screen
    assert "─" * 20 in screen
    assert max(map(len, screen.splitlines())) <= columns
    assert "module.py:12345" in screen  # the end of a path is what tells places apart
    assert (f"{LONG}:12345" in screen) == (columns == 200)
    if columns > 60:
        assert r"\x1b[31m[bold]x[/bold]:bomb::7" in screen
    assert ("and so on" in screen) == (columns == 200)  # and the beginning of a source line


@pytest.mark.parametrize("name", ["\N{CJK UNIFIED IDEOGRAPH-6F22}" * 100, "x" * 1_000_000, "a\u0301" * 100])
def test_names_of_any_length_fit(tmp_path: Path, snapshots: Callable[..., Path], name: str) -> None:
    file = snapshots("file.mtrace", (0, 1, ((name, 1), (name, 2)), 2))
    screen = COLOURS.sub("", Terminal(tmp_path, 80).run("stats", file.name, "-g", "traceback"))
    assert all(cell_len(line) <= 80 for line in screen.splitlines())
    assert screen.count("\N{HORIZONTAL ELLIPSIS}") == 2
    assert f"{name[-10:]}:1" in screen


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_plain_text_when_colour_is_not_wanted(tmp_path: Path, file: Path, variables: dict[str, str]) -> None:
    written = Terminal(tmp_path).run("stats", file.name, **variables)
    assert "\x1b" not in written
    assert "─" not in written
    piped = subprocess.run(
        [sys.executable, "-m", "memtrace", "stats", file.name],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert written == piped.stdout


def test_an_empty_no_color_counts_for_nothing(tmp_path: Path, file: Path) -> None:
    assert COLOURS.search(Terminal(tmp_path).run("stats", file.name, NO_COLOR=""))


def test_what_grew_is_red_and_what_shrank_is_blue(tmp_path: Path, snapshots: Callable[..., Path]) -> None:
    old = snapshots("old.mtrace", (0, 100, (("shrank.py", 1),), 1))
    new = snapshots("new.mtrace", (0, 100, (("grew.py", 1),), 1))
    written = Terminal(tmp_path).run("diff", old.name, new.name)
    assert re.search("\x1b\\[31m\\+100 B", written)
    assert re.search("\x1b\\[34m-100 B", written)


def test_run_shows_a_table_when_standard_error_is_a_terminal(programs: Programs) -> None:
    programs.write("program.py", "print('[bold]out[/bold]')\nkept = bytearray(1_000_000)")
    written = Terminal(programs.directory, 100).run("run", "-o", "out.mtrace", "program.py")
    assert written.startswith("[bold]out[/bold]\n")
    screen = COLOURS.sub("", written)
    assert COLOURS.search(written)
    assert "kept = bytearray(1_000_000)" in screen
    assert max(map(len, screen.splitlines())) <= 100


def test_json_is_never_coloured(tmp_path: Path, file: Path) -> None:
    assert "\x1b" not in Terminal(tmp_path).run("stats", file.name, "--json")


def test_a_module_that_hides_rich(programs: Programs) -> None:
    programs.write("rich.py", "")
    programs.write("program.py", "import rich\nkept = bytearray(1_000_000)")
    written = Terminal(programs.directory).run("run", "-o", "out.mtrace", "program.py")
    assert "\x1b" not in written
    assert "kept = bytearray(1_000_000)" in written
