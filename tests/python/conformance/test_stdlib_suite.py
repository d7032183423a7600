"""CPython's own tests of tracemalloc pass with memtrace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SUITE = Path(__file__).with_name("stdlib_suite.py")
TESTS_OF_3_11 = 37  # later versions have added some


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    result = subprocess.run(
        [sys.executable, str(SUITE)],
        cwd=tmp_path_factory.mktemp("suite"),
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_all_pass(suite: dict[str, Any]) -> None:
    others = {name: outcome for name, outcome in suite["outcomes"].items() if outcome != "passed"}
    assert not others, "\n".join(f"{name}: {outcome}" for name, outcome in others.items())
    assert len(suite["outcomes"]) >= TESTS_OF_3_11


def test_what_is_left_out_exists(suite: dict[str, Any]) -> None:
    assert suite["unused_reasons"] == []
