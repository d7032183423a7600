"""Programs and console sessions in Markdown: running them, comparing them, writing them anew.

    python tests/python/docs/transcript.py docs/tutorial.md

puts the examples and their present output into the page. In a ``python`` block the first line, ``# NAME``, says
which file of examples/ is shown below it. In a ``console`` block a line ``$ COMMAND`` is followed by what the
command prints, standard output and error together; one line ``...`` stands for any number of lines.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STANDARD_LIBRARY = "/usr/lib/python3.13"


class Command(NamedTuple):
    """One command of a console session, and what the page says it prints."""

    words: str
    shown: str


def programs_of(page: str) -> dict[str, str]:
    """Return the programs that *page* shows, by file name."""
    programs = {}
    for kind, text in _BLOCK.findall(page):
        if kind == "python" and text.startswith("# "):
            name, _, program = text.partition("\n")
            programs[name.removeprefix("# ")] = program.lstrip("\n")
    return programs


def commands_of(page: str) -> list[Command]:
    """Return the commands of all console blocks of *page*, in order."""
    return [command for kind, text in _BLOCK.findall(page) if kind == "console" for command in _commands(text)]


def _commands(text: str) -> list[Command]:
    parts = re.split(r"^\$ (.*)\n", text, flags=re.MULTILINE)[1:]
    return [Command(*pair) for pair in zip(parts[::2], parts[1::2], strict=True)]


class Console:
    """A directory with the examples, in which commands run one after another."""

    def __init__(self, examples: Path) -> None:
        """Copy *examples*; the copies lie where no path needs escaping."""
        self._home = tempfile.TemporaryDirectory()
        self.directory = Path(self._home.name).resolve()
        shutil.copytree(examples, self.directory, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))

    def run(self, command: str) -> str:
        """Return what the command prints, with the paths of this machine replaced by short ones."""
        removed = ("PYTHONMEMTRACE", "PYTHONTRACEMALLOC", "COLUMNS")
        environment = {name: value for name, value in os.environ.items() if name not in removed}
        environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', os.defpath)}"
        completed = subprocess.run(
            command,
            shell=True,
            check=True,
            cwd=self.directory,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=280,
        )
        text = completed.stdout.replace(f"{self.directory}/", "")
        return text.replace(sysconfig.get_path("stdlib"), STANDARD_LIBRARY)


def shape(text: str) -> str:
    """Return *text* with all that differs between versions of Python made equal: numbers and alignment."""
    text = re.sub(r"[+-]?\d[\d,.]*\d|[+-]?\d", "#", text)
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def matches(shown: str, printed: str) -> bool:
    """Return whether a page that shows one text is right about the other."""
    before, cut, after = (shape(part) for part in shown.partition("\n...\n"))
    lines = shape(printed)
    if not cut:
        return lines == before
    return len(lines) > len(before) + len(after) and lines.startswith(f"{before}\n") and lines.endswith(f"\n{after}")


def abridged(printed: str, shown: str) -> str:
    """Return *printed* cut where *shown* is: as many lines before and after its ``...``."""
    before, cut, after = shown.partition("\n...\n")
    if not cut:
        return printed
    lines = printed.splitlines(keepends=True)
    first, last = before.count("\n") + 1, after.count("\n")
    return "".join([*lines[:first], "...\n", *lines[len(lines) - last :]])


def updated(page: str, examples: Path, run: Callable[[str], str]) -> str:
    """Return *page* with the present text of its programs and what *run* returns for its commands."""

    def replace(match: re.Match[str]) -> str:
        kind, text = match.groups()
        if kind == "python":
            name, _, _ = text.partition("\n")
            if not name.startswith("# "):
                return match.group()
            text = f"{name}\n{(examples / name.removeprefix('# ')).read_text()}"
        else:
            commands = _commands(text)
            text = "".join(f"$ {words}\n{abridged(run(words), shown)}" for words, shown in commands)
        return f"```{kind}\n{text}```"

    return _BLOCK.sub(replace, page)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        examples = path.parent / "examples"
        path.write_text(updated(path.read_text(), examples, Console(examples).run))
