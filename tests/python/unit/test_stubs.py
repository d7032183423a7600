"""What type checkers are told agrees with the module, in this environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from interpreter import HAS_GIL

import memtrace

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 14) and not HAS_GIL,
    reason="PyO3, which mypy's parser is made with, supports no free-threaded 3.13",
)

ALLOWLIST = Path(__file__).parents[3] / "python" / "stubtest.allowlist"

USER = """
import memtrace

memtrace.start(25)
snapshot = memtrace.take_snapshot(blocks=True).filter_traces([memtrace.Filter(False, memtrace.__file__)])
for statistic in snapshot.statistics("function", cumulative=True)[:10]:
    size: int = statistic.size
    key: str | memtrace.Traceback = statistic.key
    name: str | None = statistic.traceback[-1].function
first: memtrace.Trace = snapshot.traces[0]
several: tuple[memtrace.Frame, ...] = first.traceback[1:]
total: int | None = first.traceback.total_nframe
difference: memtrace.StatisticDiff = snapshot.compare_to(memtrace.Snapshot.load("old"), "lineno")[0]
traceback: memtrace.Traceback | None = memtrace.get_object_traceback(snapshot)
snapshot.filter_traces([memtrace.Filter.user_code() & ~memtrace.SizeFilter(True, max="4 KiB"), memtrace.LabelFilter(True, "a")])
memtrace.LabelFilter(True, "a") | 5  # wrong
memtrace.start("x")  # wrong
snapshot.statistics(5)  # wrong
"""


def mypy(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    package = Path(memtrace.__file__).parents[1]
    if package.name != "site-packages":  # where mypy looks by itself
        environment |= {"MYPYPATH": str(package), "PYTHONPATH": str(package)}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, timeout=280)


def test_stubs_agree_with_the_module(tmp_path: Path) -> None:
    result = mypy("mypy.stubtest", "memtrace", "--allowlist", str(ALLOWLIST), directory=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_user_gets_types(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    result = mypy("mypy", "--strict", "--no-error-summary", "user.py", directory=tmp_path)
    wrong = [number for number, line in enumerate(USER.splitlines(), 1) if line.endswith("# wrong")]
    reported = [line for line in result.stdout.splitlines() if ": error: " in line]
    assert [int(line.split(":")[1]) for line in reported] == wrong, result.stdout
