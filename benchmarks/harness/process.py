"""Runs one measurement in a fresh interpreter and hands back what it reported."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]

HASH_SEED = "0"


class WorkerError(Exception):
    """A worker crashed, ran out of time or did not write its report."""


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: no interpreter switches, a pinned hash seed.

    ``PYTHONPATH`` is kept (a build folder may be on it) behind the root of the repository.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    path = [str(REPOSITORY)]
    if inherited := os.environ.get("PYTHONPATH"):
        path.append(inherited)
    environment["PYTHONPATH"] = os.pathsep.join(path)
    environment["PYTHONHASHSEED"] = HASH_SEED
    return environment


def run_worker(
    module: str, request: Mapping[str, Any], *, timeout: float, python: str = sys.executable
) -> dict[str, Any]:
    """Run ``python -m module`` with *request* and return the report it wrote.

    *timeout* is in seconds, *python* the interpreter. The worker finds a scratch folder, which disappears with it, in
    ``request["scratch"]``. Raises `WorkerError` with the end of its standard error.
    """
    with tempfile.TemporaryDirectory(prefix="memtrace-bench-") as scratch:
        full_request = {**request, "scratch": scratch}
        command = [python, "-m", module, json.dumps(full_request)]
        try:
            completed = subprocess.run(
                command,
                cwd=scratch,
                env=worker_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            raise WorkerError(f"no result within {timeout:g} s") from None
        report = report_path(scratch)
        if completed.returncode != 0 or not report.exists():
            tail = completed.stderr.strip()[-2000:]
            raise WorkerError(f"exit status {completed.returncode}: {tail}")
        result: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
        return result


def run_again(
    module: str, request: Mapping[str, Any], times: int, *, timeout: float
) -> tuple[list[dict[str, Any]], list[str]]:
    """As `run_worker`, *times* times: return the reports, and what was wrong where there is none."""
    reports = []
    problems = []
    for _ in range(times):
        try:
            reports.append(run_worker(module, request, timeout=timeout))
        except WorkerError as error:
            problems.append(str(error))
    return reports, problems


def report_path(scratch: str | Path) -> Path:
    """Return where a worker with this scratch folder writes its report."""
    return Path(scratch) / "report.json"


def read_request() -> dict[str, Any]:
    """Return the request that this worker process was started with."""
    request: dict[str, Any] = json.loads(sys.argv[1])
    return request


def write_report(request: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    """Write the report of this worker process where its parent looks for it."""
    report_path(request["scratch"]).write_text(json.dumps(report), encoding="utf-8")
