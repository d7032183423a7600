"""Compiles the extensions and programs of tests/python/ext for this interpreter."""

from __future__ import annotations

import shlex
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

SOURCES = Path(__file__).parent.parent / "ext"

# What the fixture `run` is.
Run = Callable[..., str]


def compile_c(*arguments: str) -> None:
    """Run the C compiler of this interpreter's build."""
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    command = [compiler, "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-pthread"]
    command += [f"-I{sysconfig.get_path('include')}", *arguments]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, f"{shlex.join(command)}\n{completed.stderr}"
