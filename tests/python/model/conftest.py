"""The extensions that the operations call, importable in the tests' own process."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import SOURCES, compile_c

import memtrace

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(scope="session", autouse=True)
def importable(extensions: Path) -> None:
    """Every test here may import the extensions, and an extension that reports its blocks as numpy does."""
    target = str(extensions / ("reporter_model" + sysconfig.get_config_var("EXT_SUFFIX")))
    compile_c("-fPIC", "-shared", "-DMODULE=reporter_model", "-o", target, str(SOURCES / "reporter.c"))


@pytest.fixture(autouse=True)
def not_tracing() -> Iterator[None]:
    """A sequence starts the tracer itself, in a process of its own."""
    memtrace.stop()
    yield
    memtrace.stop()
