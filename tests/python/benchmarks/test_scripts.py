"""The scripts at their smallest size, end to end, with what the test environment has."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.once

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / f"{name}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=280)


def result_of(tmp_path: Path, name: str, *arguments: str) -> tuple[str, Any]:
    """What the script prints at its smallest size, and what it writes."""
    result_file = tmp_path / "result.json"
    completed = script(name, "--smoke", *arguments, f"--json={result_file}")
    assert completed.returncode == 0, completed.stderr
    return completed.stdout, json.loads(result_file.read_text())


def test_overhead(tmp_path: Path):
    printed, result = result_of(
        tmp_path,
        "overhead",
        "--programs=churn,jsn",
        "--modes=bare,floor,tracemalloc1,memtrace1,memtrace25,imported,sampled",
    )
    assert "| churn |" in printed
    assert result["benchmark"] == "overhead"
    assert result["problems"] == []
    assert set(result["seconds"]["ratios"]["memtrace25"]) == {"churn", "jsn"}
    assert len(result["runs"]) == 14


def test_overhead_refuses_unknown_names_and_a_missing_base():
    unknown = script("overhead", "--smoke", "--programs=churn,nonsense")
    assert unknown.returncode == 2
    assert "'nonsense' is not one of" in unknown.stderr
    baseless = script("overhead", "--smoke", "--programs=churn", "--modes=floor")
    assert baseless.returncode == 2
    assert "--modes must contain bare" in baseless.stderr


def test_overhead_fails_when_bounds_cannot_be_checked():
    completed = script("overhead", "--smoke", "--programs=churn", "--modes=bare,memtrace25", "--assert")
    assert completed.returncode == 1
    assert "no bound can be checked without memray" in completed.stderr


def test_pairs(tmp_path: Path):
    printed, result = result_of(tmp_path, "pairs", "--programs=churn", sys.executable)
    assert "| churn |" in printed
    assert result["problems"] == []
    assert set(result["ratios"]) == {"memtrace1", "memtrace25", "asked25"}
    modes = ["other memtrace1", "other memtrace25", "memtrace1", "memtrace25", "asked25"]
    assert [run["mode"] for run in result["runs"]] == modes


def test_pairs_need_another_interpreter():
    refused = script("pairs", "--smoke", "--programs=churn", "no-such-python")
    assert refused.returncode == 2
    assert "PYTHON must be an interpreter, which no-such-python is not" in refused.stderr


def test_snapshots(tmp_path: Path):
    printed, result = result_of(tmp_path, "snapshots")
    assert "| take_snapshot |" in printed
    (by_tracer,) = result["repetitions"]
    assert by_tracer["memtrace"]["results"].keys() == by_tracer["tracemalloc"]["results"].keys()
    assert by_tracer["memtrace"]["results"]["lineno"]["count"] > 19_000


def test_memory(tmp_path: Path):
    printed, result = result_of(tmp_path, "memory")
    assert "| hold | memtrace(25) |" in printed
    reports = result["reports"]
    assert reports["hold memtrace25"][0]["tracer_bytes"] > 0


def test_sampling(tmp_path: Path):
    result_file = tmp_path / "result.json"
    completed = script("sampling", "--smoke", f"--json={result_file}")
    assert completed.returncode == 0, completed.stderr
    assert "| size |" in completed.stdout
    results = json.loads(result_file.read_text())["results"]
    assert abs(results["size"]["bias"]) < 0.1
    assert results["count"]["coverage"] > 0.5


def test_scaling(tmp_path: Path):
    printed, result = result_of(tmp_path, "scaling", "--modes=bare,tracemalloc25,memtrace25")
    assert "| raw | memtrace(25) |" in printed
    assert result["problems"] == []
    assert {len(rates) for rates in result["rates"].values()} == {1}
    assert {f"raw {mode} {threads}" for mode in ("bare", "memtrace25") for threads in (1, 2)} <= set(result["rates"])


def test_holders(tmp_path: Path):
    printed, result = result_of(tmp_path, "holders")
    assert "| holders() |" in printed
    (report,) = result["reports"]
    assert report["doubts"] == []


def test_regions(tmp_path: Path):
    printed, result = result_of(tmp_path, "regions")
    assert "| region |" in printed
    (report,) = result["reports"]
    few, many = sorted(map(int, report["regions"]))
    assert few < 100 < 2_000 <= many


def test_page(tmp_path: Path):
    pytest.importorskip("playwright", reason="Playwright is not installed (the extra 'page')")
    if shutil.which("chromium") is None:
        pytest.skip("there is no Chromium on PATH (Debian's package chromium)")
    printed, result = result_of(tmp_path, "page")
    assert "| open, s |" in printed
    assert result["problems"] == []
    (report,) = result["reports"]
    assert 0 < report["megabytes"] < 1


def test_start_up(tmp_path: Path):
    printed, result = result_of(tmp_path, "start_up")
    assert "| import memtrace |" in printed
    assert result["problems"] == []
    assert {"memtrace --help", "memtrace run --help", "memtrace browse --help"} < set(result["seconds"])


def test_object_types(tmp_path: Path):
    printed, result = result_of(tmp_path, "object_types", "--programs=objects", "--assert")
    assert "| objects |" in printed
    assert result["problems"] == []
    (report,) = result["reports"]["objects"]
    assert report["share"] > 0.99
    assert report["blocks"] > 20_000
