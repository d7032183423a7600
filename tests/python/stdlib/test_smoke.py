"""The comparison with a few selections that take seconds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import test

SELECTIONS = ("test_generators", "test_coroutines", "test_fork1")


HAS_TESTS = any(Path(folder, "test_fork1.py").exists() for folder in test.__path__)


@pytest.mark.skipif(not HAS_TESTS, reason="this interpreter comes without CPython's tests, as Debian's does")
def test_smoke(tmp_path: Path) -> None:
    completed = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("compare.py")), "--keep", str(tmp_path / "runs"), *SELECTIONS],
        capture_output=True,
        text=True,
        check=False,
    )
    print(completed.stdout)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    passed = int(completed.stdout.splitlines()[-1].split()[0])
    assert passed > 100, completed.stdout
