"""The check of real programs on small inputs, with what is installed: pip always is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.once
def test_smoke(tmp_path: Path) -> None:
    completed = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("check.py")), "--smoke", "--keep", str(tmp_path / "check")],
        capture_output=True,
        text=True,
        check=False,
    )
    print(completed.stdout)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "pip: 10 of the 10" in completed.stdout
