"""What a user may get wrong, and files that are not what they seem: one clear message, nothing else."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

if TYPE_CHECKING:
    from conftest import Programs

Invoke = Callable[..., Result]

A = ("/app/a.py", 10)


@pytest.fixture
def file(snapshots: Callable[..., Path]) -> Path:
    return snapshots("file.mtrace", (0, 1, (A,), 1))


@pytest.mark.parametrize("command", ["stats", "diff"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--limit", "-1"], "Invalid value for '-l' / '--limit': -1 is not in the range x>=0."),
        (["--limit", "x"], "Invalid value for '-l' / '--limit': 'x' is not a valid integer range."),
        (["--group-by", "size"], "Invalid value for '-g' / '--group-by': 'size' is not one of"),
        (
            ["--group-by", "traceback", "--cumulative"],
            "'-c' / '--cumulative': cannot be used with --group-by traceback.",
        ),
        (["--filter", ""], "Invalid value for '-f' / '--filter': a filter needs a pattern for file names."),
        (["--filter", "!"], "Invalid value for '-f' / '--filter': a filter needs a pattern for file names."),
        (["--filter", ":5"], "Invalid value for '-f' / '--filter': a filter needs a pattern for file names."),
        (["--nonsense"], "No such option"),
    ],
)
def test_options(invoke: Invoke, file: Path, command: str, options: list[str], message: str) -> None:
    files = [file] if command == "stats" else [file, file]
    result = invoke(command, *files, *options)
    assert result.exit_code == 2
    assert message in result.output
    assert result.output.splitlines()[-1].startswith("Error: ")


def test_files_that_are_not_there(invoke: Invoke, file: Path, tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    for words in (["stats", missing], ["diff", file, missing], ["diff", missing, file]):
        result = invoke(*words)
        assert result.exit_code == 2
        assert f"File '{missing}' does not exist." in result.output
    assert invoke("stats", tmp_path).exit_code == 2
    assert invoke("stats").exit_code == 2
    assert invoke("diff", file).exit_code == 2


@pytest.mark.parametrize("content", [b"", b"hello\n", b"\x80\x04N.", b"\x00" * 100, b"\x80\x04cos\nsystem\n."])
def test_files_of_something_else(invoke: Invoke, file: Path, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong"
    path.write_bytes(content)
    for words in (["stats", path], ["diff", file, path], ["diff", path, file]):
        result = invoke(*words)
        assert result.exit_code == 1
        assert re.fullmatch(rf"Error: {re.escape(str(path))}: [^\n]+\n", result.output)


def test_damaged_files(invoke: Invoke, file: Path, tmp_path: Path) -> None:
    data = file.read_bytes()
    path = tmp_path / "damaged.mtrace"
    for content in (data[: len(data) // 2], data[:-1], data[:50] + bytes([data[50] ^ 1]) + data[51:]):
        path.write_bytes(content)
        result = invoke("stats", path)
        assert result.exit_code == 1
        assert re.fullmatch(rf"Error: {re.escape(str(path))}: [^\n]+\n", result.output)


def test_a_file_name_cannot_write_to_the_terminal(invoke: Invoke, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\nb"
    path.write_bytes(b"wrong")
    result = invoke("stats", path)
    assert r"a\x1b[31m\nb: " in result.output
    assert result.output.count("\n") == 1


def test_an_unknown_command(invoke: Invoke) -> None:
    result = invoke("statistics")
    assert result.exit_code == 2
    assert "No such command 'statistics'" in result.output


def lines_of(text: str) -> list[str]:
    return text.strip().splitlines()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Missing argument '(SCRIPT | -m MODULE)'."),
        (["-m"], "Missing argument '(SCRIPT | -m MODULE)'."),
        (["nothing.py"], "Invalid value for 'SCRIPT': there is no file 'nothing.py'."),
        (
            ["--nframe", "0", "program.py"],
            "Invalid value for '-n' / '--nframe': 0 is not in the range 1<=x<=65535.",
        ),
        (
            ["--nframe", "65536", "program.py"],
            "Invalid value for '-n' / '--nframe': 65536 is not in the range",
        ),
        (
            ["--nframe", "x", "program.py"],
            "Invalid value for '-n' / '--nframe': 'x' is not a valid integer range.",
        ),
        (["x" * 5000], "Invalid value for 'SCRIPT': there is no file 'xxx"),
        (["-o", "x" * 5000, "program.py"], "Invalid value for '-o' / '--output': "),
        (["-o", "no/such/directory", "program.py"], "'-o' / '--output': cannot write 'no/such/directory'."),
        (["-o", ".", "program.py"], "Invalid value for '-o' / '--output': File '.' is a directory."),
    ],
)
def test_run(programs: Programs, words: list[str], message: str) -> None:
    programs.write("program.py", "print('ran')")
    completed = programs.python("-m", "memtrace", "run", *words)
    assert (completed.returncode, completed.stdout) == (2, "")
    assert message in lines_of(completed.stderr)[-1]
    assert [path.name for path in programs.directory.iterdir()] == ["program.py"]


def test_run_in_a_directory_that_is_gone(programs: Programs) -> None:
    program = programs.write("program.py", "print('ran')")
    gone = programs.directory / "gone"
    script = f"mkdir {gone}; cd {gone}; rmdir {gone}; exec {sys.executable} -m memtrace run -q"
    for option, status in (("", 2), (f"-o {programs.snapshot}", 0)):
        completed = subprocess.run(
            f"{script} {option} {program}", shell=True, capture_output=True, text=True, check=False
        )
        assert completed.returncode == status, completed.stderr
        assert completed.stdout == ("" if status else "ran\n")
        assert ("'-o' / '--output': cannot write 'program." in completed.stderr) == bool(status)


def test_run_where_site_does_not_start_the_tracer(programs: Programs) -> None:
    programs.write("program.py", "print('ran')")
    packages = os.pathsep.join(programs.python("-c", "import sys; print(*sys.path[1:], sep='\\n')").stdout.split())
    environment = {**os.environ, "PYTHONPATH": packages}
    completed = programs.python("-S", "-m", "memtrace", "run", "program.py", env=environment)
    assert (completed.returncode, completed.stdout) == (1, "")
    (line,) = lines_of(completed.stderr)
    assert line.startswith("Error: this interpreter does not process memtrace.pth")
