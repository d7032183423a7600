"""Tracing in the tests' own process, with the extensions importable there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import memtrace

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def importable(extensions: Path) -> None:
    """Every test here may import the extensions."""


@pytest.fixture
def tracing() -> Iterator[Callable[[int], None]]:
    """Start tracing in this process; stopped when the test ends."""
    memtrace.stop()
    yield memtrace.start
    memtrace.stop()
