"""Builds the C++ extensions that share a process with memtrace."""

from __future__ import annotations

import shlex
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def compile_shared(output: Path, *arguments: str) -> Path:
    """Compile one shared object with the C++ compiler of this interpreter's build."""
    compiler = shlex.split(sysconfig.get_config_var("CXX") or "g++")[0]
    command = [compiler, "-std=c++17", "-O1", "-g", "-fPIC", "-shared", "-Wall", "-Wextra"]
    command += [f"-I{sysconfig.get_path('include')}", "-o", str(output), *arguments]
    completed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert completed.returncode == 0, f"{shlex.join(command)}\n{completed.stderr}"
    return output


@pytest.fixture(scope="session")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the extensions neighbour_one, neighbour_two and hijacked."""
    directory = tmp_path_factory.mktemp("neighbours")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    source = str(HERE / "neighbour.cpp")
    for name in ("neighbour_one", "neighbour_two"):
        compile_shared(directory / (name + suffix), source, f"-DMODULE_NAME={name}", "-ldl", "-pthread")
    hijacker = compile_shared(directory / "libhijacker.so", str(HERE / "hijacker.cpp"))
    compile_shared(
        directory / ("hijacked" + suffix),
        "-DMODULE_NAME=hijacked",
        "-Wl,--no-as-needed",
        str(hijacker),
        f"-Wl,-rpath,{directory}",
        source,
        "-ldl",
        "-pthread",
    )
    return directory


@pytest.fixture
def run_with_neighbours(neighbours: Path) -> Callable[..., str]:
    """Run a program in a fresh interpreter that can import the neighbours; its standard output."""

    def run(program: str, *options: str, **environment: str) -> str:
        preamble = f"import sys; sys.path.insert(0, {str(neighbours)!r})\n"
        completed = subprocess.run(
            [sys.executable, *options, "-c", preamble + program],
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
            env={"PATH": "/usr/bin:/bin", **environment},
        )
        assert completed.returncode == 0, f"status {completed.returncode}\n{completed.stdout}{completed.stderr}"
        return completed.stdout

    return run
