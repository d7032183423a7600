"""Extensions that misbehave, built for this interpreter, and programs in processes of their own that can import them."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

COMMON = Path(__file__).parent / "common"
sys.path.append(str(COMMON))

from building import SOURCES, Run, compile_c  # noqa: E402

_OWN_VARIABLES = ("PYTHONUNBUFFERED", "PYTHONMEMTRACE", "PYTHONTRACEMALLOC", "PYTHONMALLOC", "PYTHONDEVMODE")


@pytest.fixture(scope="session")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory with all extensions of tests/python/ext, importable here and in programs."""
    directory = tmp_path_factory.mktemp("extensions")
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for name in ("allocations", "evaluator", "layers", "unattached", "last_words", "references", "strangers"):
        if name == "references" and sys.version_info < (3, 13):
            continue
        source = str(SOURCES / f"{name}.c")
        compile_c("-fPIC", "-shared", "-o", str(directory / (name + suffix)), source)
    sys.path.append(str(directory))
    yield directory
    sys.path.remove(str(directory))


@pytest.fixture
def run(extensions: Path, request: pytest.FixtureRequest) -> Run:
    """Run a program in a fresh interpreter that can import the extensions; its standard output.

    `options` go before the program, `arguments` after it, and further keywords into the environment. The program must
    end with `status` and write nothing but its own to standard error. It can import what lies beside the test.
    """
    clean = {name: value for name, value in os.environ.items() if name not in _OWN_VARIABLES}
    path = os.pathsep.join([str(extensions), str(COMMON), str(request.path.parent)])

    def run(
        program: str | Path,
        *options: str,
        arguments: tuple[str, ...] = (),
        status: int = 0,
        timeout: float = 280,
        stderr: str = "",
        **environment: str,
    ) -> str:
        what = [str(program)] if isinstance(program, Path) else ["-c", program]
        completed = subprocess.run(
            [sys.executable, *options, *what, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            env={**clean, "PYTHONPATH": path, **environment},
        )
        told = f"status {completed.returncode}\n{completed.stdout}{completed.stderr}"
        assert completed.returncode == status, told
        assert completed.stderr == stderr, told
        return completed.stdout

    return run
