"""Directories of programs, and commands in this process or in one of their own: fixtures for what tests the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import memtrace
from memtrace.cli.commands import memtrace as command_line

_OWN_VARIABLES = ("PYTHONUNBUFFERED", "PYTHONMEMTRACE", "PYTHONTRACEMALLOC", "NO_COLOR", "COLUMNS")


def clean_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}


class Programs:
    """A directory of programs, which is also where they run."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.snapshot = directory / "out.mtrace"

    def write(self, name: str, text: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def python(self, *words: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run the interpreter with these words after it."""
        arguments: dict[str, object] = {
            "capture_output": True,
            "text": True,
            "check": False,
            "timeout": 280,
            "cwd": self.directory,
            "env": clean_environment(),
            "stdin": None if "input" in options else subprocess.DEVNULL,
        }
        return subprocess.run([sys.executable, *words], **(arguments | options))  # type: ignore[call-overload, no-any-return]

    def run(self, *words: str, interpreter: Sequence[str] = (), **options: object) -> subprocess.CompletedProcess[str]:
        """Run a program under `memtrace run`, which shows nothing and writes self.snapshot."""
        run = ("-m", "memtrace", "run", "--quiet", "--output", str(self.snapshot))
        return self.python(*interpreter, *run, *words, **options)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    directory = tmp_path / "programs"
    directory.mkdir()
    return Programs(directory)


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """Run a command in this process, its output piped."""

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(command_line, [str(word) for word in words])

    return invoke


Literal = tuple[int, int, tuple[tuple[str, int], ...], int]


def literal(size: int, *frames: tuple[str, int], domain: int = 0, total: int | None = None) -> Literal:
    """A trace as Snapshot takes it, most recent frame first."""
    return domain, size, frames, len(frames) if total is None else total


@pytest.fixture
def snapshots(tmp_path: Path) -> Callable[..., Path]:
    """Write a snapshot of literal traces into a file."""

    def write(name: str, *traces: Literal, limit: int = 25) -> Path:
        path = tmp_path / name
        memtrace.Snapshot(list(traces), limit).dump(path)
        return path

    return write
