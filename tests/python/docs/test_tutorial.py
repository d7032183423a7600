"""The programs and console sessions of the documentation do what it says."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from interpreter import HAS_GIL

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGES = (
    "tutorial",
    "marks",
    "labels",
    "churn",
    "figures",
    "filters",
    "holders",
    "sampling",
    "terminal",
    "timeline",
    "types",
    "export",
)
PAGE = "\n".join((DOCS / f"{name}.md").read_text() for name in PAGES)

WITHOUT_GIL = {
    "top_ten": "objects are larger, and the lines come in another order",
    "what_is_it": "objects are larger, and the lines come in another order",
    "for_whom": "the name of a thread that has ended is not known",
}


def load_transcript() -> ModuleType:
    specification = importlib.util.spec_from_file_location("transcript", Path(__file__).with_name("transcript.py"))
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    sys.modules[specification.name] = module
    specification.loader.exec_module(module)
    return module


transcript = load_transcript()


@pytest.fixture(scope="module")
def console() -> object:
    return transcript.Console(DOCS / "examples")


def test_every_example_is_in_a_tutorial_as_it_is() -> None:
    shown = transcript.programs_of(PAGE)
    files = {path.name: path.read_text() for path in (DOCS / "examples").glob("*.py")}
    commands = " ".join(command.words for command in transcript.commands_of(PAGE))
    for name, text in files.items():
        assert shown.get(name, text) == text
        assert name in commands
    assert len(shown) == 21


@pytest.mark.parametrize("number", range(len(transcript.commands_of(PAGE))))
def test_commands_print_what_the_tutorials_show(console: object, number: int) -> None:
    command = transcript.commands_of(PAGE)[number]
    for name, reason in WITHOUT_GIL.items():
        if name in command.words and not HAS_GIL:
            pytest.skip(reason)
    if "django" in command.words:
        pytest.importorskip("django")
    printed = console.run(command.words)  # type: ignore[attr-defined]
    assert transcript.matches(command.shown, printed), f"{command.words}\n{printed}"


@pytest.mark.parametrize(
    ("shown", "printed", "expected"),
    [
        ("a 12.5 KiB  x\n", "a  3 KiB x\n", True),
        ("a 12.5 KiB\n", "a 12.5 MiB\n", False),
        ("+1,234 B\n", "-5 B\n", True),
        ("a\n...\nb\n", "a\nx\ny\nb\n", True),
        ("a\n...\nb\n", "a\nb\n", True),
        ("a\n...\nb\n", "a\nx\n", False),
        ("a\n...\na\n", "a\n", False),
        ("a\nb\n", "a\n", False),
        ("a...b\n", "axb\n", False),
    ],
)
def test_comparison(shown: str, printed: str, expected: bool) -> None:
    assert transcript.matches(shown, printed) is expected


def test_links_lead_to_files() -> None:
    import re

    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
