"""Help and version, and what they load."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Programs

COMMANDS = (
    "run",
    "stats",
    "diff",
    "tree",
    "flamegraph",
    "annotate",
    "timeline",
    "browse",
    "top",
    "info",
    "convert",
    "merge",
    "completion",
)


def test_the_commands_are_listed_in_order(programs: Programs) -> None:
    completed = programs.python("-m", "memtrace", "--help")
    assert completed.returncode == 0
    assert completed.stdout.startswith("Usage: python -m memtrace ")
    listed = completed.stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)
    assert all(len(line.split()) > 3 for line in listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_shows_an_example(programs: Programs, command: str) -> None:
    completed = programs.python("-m", "memtrace", command, "-h")
    assert completed.returncode == 0
    assert f"  python -m memtrace {command} " in completed.stdout.partition("Examples:")[2]


def test_without_a_command_help_is_shown(programs: Programs) -> None:
    completed = programs.python("-m", "memtrace")
    assert "Commands:" in completed.stdout + completed.stderr
    assert completed.returncode == 2


def test_version(programs: Programs) -> None:
    completed = programs.python("-m", "memtrace", "--version")
    assert completed.stdout == f"memtrace {version('memtrace-python')}\n"


def test_the_console_script(programs: Programs) -> None:
    script = f"{sys.prefix}/bin/memtrace"
    programs.write("program.py", "import sys; print(sys.argv, sys.flags.optimize)")
    completed = programs.python("-O", script, "run", "-q", "-o", str(programs.snapshot), "program.py", "a")
    assert (completed.stdout, completed.stderr) == ("['program.py', 'a'] 1\n", "")
    assert programs.snapshot.exists()


@pytest.mark.parametrize("words", [["--help"], *([command, "--help"] for command in COMMANDS)])
def test_help_loads_little(programs: Programs, words: list[str]) -> None:
    heavy = ("rich", "textual", "importlib.metadata", "json", "dataclasses", "asyncio", "subprocess", "socket")
    program = f"""
import atexit, sys
atexit.register(lambda: print(*(name for name in {heavy} if name in sys.modules)))
from memtrace.cli import main
main({words})
"""
    assert programs.python("-c", program).stdout.splitlines()[-1] == ""


def test_importing_memtrace_loads_none_of_it(programs: Programs) -> None:
    program = "import sys, memtrace; print({'click', 'rich', 'textual', 'typing', 're', 'pickle'} & {*sys.modules})"
    assert programs.python("-c", program).stdout == "set()\n"
