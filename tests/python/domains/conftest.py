"""Extensions that report blocks, with import slots of different kinds."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from building import SOURCES, compile_c

import memtrace

# Slots that the loader fills at the first call; all at once, and then makes read-only; or without a procedure table.
LINKING = {
    "reporter_lazy": ["-Wl,-z,lazy,-z,norelro"],
    "reporter_sealed": ["-Wl,-z,now,-z,relro"],
    "reporter_noplt": ["-fno-plt", "-Wl,-z,now,-z,relro"],
}


@pytest.fixture(scope="session", autouse=True)
def reporters(extensions: Path) -> Path:
    """The directory of the extensions, with all reporters."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for name, flags in LINKING.items():
        target = str(extensions / (name + suffix))
        compile_c("-fPIC", "-shared", f"-DMODULE={name}", *flags, "-o", target, str(SOURCES / "reporter.c"))
    return extensions


@pytest.fixture(params=LINKING)
def reporter(request: pytest.FixtureRequest) -> str:
    """The name of each reporter."""
    name: str = request.param
    return name


@pytest.fixture
def tracing() -> Iterator[Callable[[int], None]]:
    """Start tracing in this process; stopped when the test ends."""
    memtrace.stop()
    yield memtrace.start
    memtrace.stop()
