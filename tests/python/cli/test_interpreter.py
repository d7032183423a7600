"""Which words of a command line are the interpreter's own."""

from __future__ import annotations

import pytest

from memtrace.cli.interpreter import interpreter_options


@pytest.mark.parametrize(
    ("command_line", "options"),
    [
        ("python -m memtrace run -O -x", ""),
        ("python -mmemtrace run", ""),
        ("python -O -m memtrace run", "-O"),
        ("python -Om memtrace run", "-O"),
        ("python -OImmemtrace run", "-OI"),
        ("python -X dev -X memtrace=5 -W error -m memtrace run -W x", "-X dev -X memtrace=5 -W error"),
        ("python -Xdev -Werror -m memtrace", "-Xdev -Werror"),
        ("python -IX m -m memtrace", "-IX m"),
        ("python -W m -Wm -m memtrace", "-W m -Wm"),
        ("python --check-hash-based-pycs always -B -m memtrace", "--check-hash-based-pycs always -B"),
        ("/venv/bin/python -P /venv/bin/memtrace run -O", "-P"),
        ("python -- memtrace run -O", ""),
        ("python -O - run", "-O"),
        ("python -O -c code run -B", "-O"),
        ("python -m coverage run -m memtrace run", ""),
        ("python -uBsE -bb tool.py", "-uBsE -bb"),
        ("python -X", "-X"),
        ("python", ""),
    ],
)
def test_interpreter_options(command_line: str, options: str) -> None:
    assert interpreter_options(command_line.split()) == options.split()


def test_of_no_command_line() -> None:
    assert interpreter_options([]) == []
