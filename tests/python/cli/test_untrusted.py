"""Whatever the names in a snapshot are, they reach the terminal as text."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result

from memtrace.reports.plain import render_plain
from memtrace.reports.table import Detail, Row, Table
from memtrace.reports.text import printable

if TYPE_CHECKING:
    from conftest import Programs

Invoke = Callable[..., Result]

HOSTILE = [
    "\x1b[31mred\x1b]0;title\x07",
    "line\nbreak\r\x0b\x0c\x85\u2028\u2029",
    "nul\0 bell\x07 backspace\x08\x7f\x9b31m",
    "\N{RIGHT-TO-LEFT OVERRIDE}cod.exe\N{ZERO WIDTH SPACE}\N{SOFT HYPHEN}",
    "\udcff\ud800 lone",
    "[bold red]markup[/] [link=https://example.org]link[/link] :bomb: https://example.org",
    "\N{TAG LATIN SMALL LETTER A}\ue000\U000e0001",
]


def is_plain(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("group_by", ["filename", "lineno", "traceback"])
def test_names_in_reports(invoke: Invoke, snapshots: Callable[..., Path], name: str, group_by: str) -> None:
    old = snapshots("old.mtrace")
    new = snapshots("new.mtrace", (0, 1, ((name, 1), (name, 2)), 2))
    for words in (["stats", new], ["diff", old, new]):
        result = invoke(*words, "--group-by", group_by)
        assert result.exit_code == 0
        assert is_plain(result.output)
        assert printable(name) in result.output
        report = invoke(*words, "--group-by", group_by, "--json").output
        assert report.isascii()
        assert is_plain(report)
        assert name in texts_of(json.loads(report))


def texts_of(value: object) -> list[str]:
    if isinstance(value, dict):
        value = list(value.values())
    return [text for each in value for text in texts_of(each)] if isinstance(value, list) else [str(value)]


@pytest.mark.parametrize("name", HOSTILE)
def test_every_text_of_a_table(name: str) -> None:
    row = Row((name,), name, (Detail(name, is_place=True), Detail(name, is_place=False)))
    table = Table((name,), (name,), name, (row,), (name,))
    for encoding in ("utf-8", "ascii", "latin-1"):
        text = render_plain(table, encoding)
        assert is_plain(text)
        assert text.encode(encoding)
        assert text.count(printable(name, encoding)) == 8


def test_printable() -> None:
    assert printable("plain 'text' \\ äöü 漢字 \U0001f600") == "plain 'text' \\ äöü 漢字 \U0001f600"
    assert printable("a\tb\x1b\n\u202e\udcff\U000e0001") == r"a   b\x1b\n\u202e\udcff\U000e0001"
    assert printable("ä漢", "ascii") == r"\xe4\u6f22"
    assert printable("ä漢", "latin-1") == r"ä\u6f22"


def test_source_code_is_escaped(invoke: Invoke, snapshots: Callable[..., Path], tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text("x = '\x1b[31m[bold]'\n")
    file = snapshots("file.mtrace", (0, 1, ((str(source), 1),), 1))
    output = invoke("stats", file).output
    assert r"x = '\x1b[31m[bold]'" in output
    assert is_plain(output)


def test_only_regular_files_are_read_for_source_code(
    invoke: Invoke, snapshots: Callable[..., Path], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    large = tmp_path / "large.py"
    with large.open("wb") as file:
        file.truncate(1 << 40)
    names = [
        str(pipe),
        str(large),
        "/dev/zero",
        "/dev/stdin",
        str(tmp_path),
        "nul\0",
        "x" * 5000,
        "",
        "\udcff",
    ]
    file = snapshots("file.mtrace", *((0, 1, ((name, 1),), 1) for name in names))
    result = invoke("stats", file)  # reading any of them would not return
    assert result.exit_code == 0


HOSTILE_CODE = """
def allocate():
    return bytearray(1_000_000)
name = {name!r}
allocate.__code__ = allocate.__code__.replace(co_filename=name, co_name=name, co_qualname=name)
kept = allocate()
"""


@pytest.mark.parametrize("name", [name for name in HOSTILE if "\0" not in name])
def test_names_of_running_code(programs: Programs, invoke: Invoke, name: str) -> None:
    programs.write("program.py", HOSTILE_CODE.format(name=name))
    completed = programs.python("-m", "memtrace", "run", "-o", str(programs.snapshot), "program.py")
    assert completed.returncode == 0
    assert is_plain(completed.stderr)
    assert f"{printable(name)}:3" in completed.stderr
    for group_by in ("filename", "lineno", "traceback", "function", "module"):
        output = invoke("stats", programs.snapshot, "--group-by", group_by, "--limit", 1).output
        assert is_plain(output)
        assert printable(name) in output
