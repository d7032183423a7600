"""Which module a file is, by what the program has imported."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from memtrace._modules import module_files


class Trap(ModuleType):
    """As a lazily imported module: looking at an attribute would load it."""

    def __getattribute__(self, name: str) -> object:
        raise AssertionError(f"{name} was looked at")


def test_files_of_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    modules: dict[str, object] = {name: ModuleType(name) for name in ("first", "second", "nameless", "strange")}
    modules["first"].__file__ = modules["second"].__file__ = "/a.py"  # type: ignore[attr-defined]
    modules["strange"].__file__ = 5  # type: ignore[attr-defined]
    trap = Trap("trap")
    vars(ModuleType)["__dict__"].__get__(trap)["__file__"] = "/trap.py"
    modules |= {"trap": trap, "none": None, "number": 5}
    monkeypatch.setattr(sys, "modules", modules)
    assert module_files() == {"/a.py": "first", "/trap.py": "trap"}


def test_this_file() -> None:
    assert module_files()[__file__] == __name__
