"""Starts interpreters."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Interpreter = Callable[..., "subprocess.CompletedProcess[str]"]

_OWN_VARIABLES = ("PYTHONMEMTRACE", "PYTHONTRACEMALLOC")


@pytest.fixture
def interpreter(tmp_path: Path) -> Interpreter:
    """Run an interpreter with options; keyword arguments are environment variables."""

    def run(*options: str, executable: str = sys.executable, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}
        return subprocess.run(
            [executable, *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
            cwd=tmp_path,
            env=environment | variables,
        )

    return run
