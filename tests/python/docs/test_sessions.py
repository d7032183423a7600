"""The recorded sessions: what they show can still be typed, and shows what it is about. docs/sessions/record.py records."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest

SESSIONS = Path(__file__).resolve().parents[3] / "docs" / "sessions"


def load_record() -> ModuleType:
    specification = importlib.util.spec_from_file_location("record_sessions", SESSIONS / "record.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


record = load_record()
PAGES = {path.stem: path.read_text() for path in SESSIONS.glob("*.md") if path.stem != "README"}


def commands_of(page: str) -> list[tuple[str, str]]:
    return record.transcript.commands_of(page)  # type: ignore[no-any-return]


def test_each_page_has_a_session_and_each_session_a_page() -> None:
    assert set(PAGES) == set(record.SESSIONS)


@pytest.mark.parametrize("name", PAGES)
def test_its_commands_are_commands_of_memtrace(name: str) -> None:
    from memtrace.cli.commands import memtrace as group

    context = group.make_context("memtrace", [], resilient_parsing=True)
    typed = [shlex.split(words) for words, _ in commands_of(PAGES[name]) if words.startswith("memtrace ")]
    assert len(typed) >= 3
    for _, command_name, *arguments in typed:
        command = group.get_command(context, command_name)
        assert command is not None, command_name
        # Its files are not here: only whether it has such options.
        parser = command.make_parser(command.make_context(command_name, [], parent=context, resilient_parsing=True))
        parser.parse_args(arguments)


@pytest.mark.parametrize("name", PAGES)
def test_the_line_is_in_the_first_row_within_a_minute(name: str) -> None:
    session = record.SESSIONS[name]
    rows = [record.first_row(shown) for _, shown in commands_of(PAGES[name])]
    assert any(session.source in row and f"{session.file}:" in row for row in rows)
    (seconds,) = re.findall(r"^Recorded on CPython .*: (\d+) seconds from the first `pip install`", PAGES[name], re.M)
    assert int(seconds) < 60


@pytest.mark.parametrize("name", PAGES)
def test_its_files_are_shown_as_they_are(name: str) -> None:
    for file, program in record.transcript.programs_of(PAGES[name]).items():
        assert (SESSIONS / record.SESSIONS[name].files / file).read_text() == program


@pytest.mark.parametrize(
    ("printed", "row"),
    [
        ("a: 1 KiB in 2 blocks\n\nSize  Line\n1 KiB  a:1\n  x\n 9 B  b:2\n", "1 KiB  a:1\n  x\n"),
        ("+12.5 MiB  3 KiB  a:1\n-1 B  b:2\n", "+12.5 MiB  3 KiB  a:1\n"),
        ("nothing\n", ""),
    ],
)
def test_the_first_row(printed: str, row: str) -> None:
    assert record.first_row(printed) == row
