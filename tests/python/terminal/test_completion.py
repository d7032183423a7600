"""What shells are told."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

if TYPE_CHECKING:
    from conftest import Programs


@pytest.mark.parametrize(
    ("shell", "words"), [("bash", "complete -o nosort -F"), ("zsh", "#compdef memtrace"), ("fish", "complete ")]
)
def test_each_shell_has_a_script(invoke: Callable[..., Result], shell: str, words: str) -> None:
    result = invoke("completion", shell)
    assert result.exit_code == 0
    assert words in result.output and "_MEMTRACE_COMPLETE" in result.output


def test_other_shells(invoke: Callable[..., Result]) -> None:
    assert invoke("completion", "tcsh").exit_code == 2


def test_bash_accepts_it(invoke: Callable[..., Result]) -> None:
    subprocess.run(["bash", "-n"], input=invoke("completion", "bash").output, text=True, check=True)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("memtrace ti", ["plain,timeline"]),
        ("memtrace stats --group-by mod", ["plain,module"]),
        ("memtrace tree --inv", ["plain,--inverted"]),
    ],
)
def test_words_are_completed(programs: Programs, typed: str, found: list[str]) -> None:
    program = "import sys; sys.argv = ['memtrace']; from memtrace.cli import main; main()"
    variables = {"_MEMTRACE_COMPLETE": "bash_complete", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    completed = programs.python("-c", program, env=variables)
    assert completed.stdout.splitlines() == found
