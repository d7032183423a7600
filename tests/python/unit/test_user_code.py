"""Filter.user_code(): what it calls the user's own."""

from __future__ import annotations

import json
import os
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from building import Run

import memtrace

USERS = [
    "/home/me/app.py",
    "app.py",
    "<string>",
    "<stdin>",
    "/home/me/site-packages.py",
    "/home/me/python3.12/app.py",
    "/home/me/lib/python/app.py",
    "/home/me/frozen.py",
]
LIBRARIES = [
    json.__file__,
    os.__file__,
    json.__file__ + "c",
    memtrace.__file__,
    memtrace.take_snapshot.__code__.co_filename,
    os.path.realpath(os.__file__),
    sysconfig.get_path("purelib") + "/package/module.py",
    "/opt/other/lib/python3.14t/asyncio/tasks.py",
    "/usr/lib64/python3.9/json/decoder.py",
    "/home/me/.venv/lib/python3.12/site-packages/module.py",
    "/usr/lib/python3/dist-packages/module.py",
    "C:/site-packages/module.py",
    "<frozen os>",
    "<frozen importlib._bootstrap_external>",
    "<frozen runpy>",
    "<unknown>",
]


def kept(made: memtrace.BaseFilter, traces: list[Any]) -> list[Any]:
    return list(memtrace.Snapshot(traces, 5).filter_traces([made]).traces._traces)


def test_files() -> None:
    traces = [(0, 1, ((name, 1), ("app.py", 1)), 2) for name in USERS + LIBRARIES]
    for imports in (False, True):
        names = [frames[0][0] for _, _, frames, _ in kept(memtrace.Filter.user_code(imports), traces)]
        assert names == USERS


def test_who_called_does_not_matter() -> None:
    traces = [(0, 1, (("app.py", 1), (name, 1)), 2) for name in USERS + LIBRARIES if "importlib" not in name]
    assert kept(memtrace.Filter.user_code(), traces) == traces


def test_what_an_import_has_made() -> None:
    importing = [("<frozen importlib._bootstrap_external>", 5), ("<frozen importlib._bootstrap>", 7)]
    traces = [(0, 1, (("table.py", 1), *importing, ("app.py", 3)), 4), (0, 1, (("table.py", 1),), 4)]
    assert kept(memtrace.Filter.user_code(), traces) == traces[1:]
    assert kept(memtrace.Filter.user_code(imports=True), traces) == traces


def test_folders_of_this_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that it was told of, and what they are links to; no path is a pattern."""
    (tmp_path / "real [x]").mkdir()
    (tmp_path / "link *").symlink_to(tmp_path / "real [x]")
    folders = dict.fromkeys(("stdlib", "platstdlib", "purelib", "platlib"), str(tmp_path / "link *"))
    monkeypatch.setattr(sysconfig, "get_paths", lambda vars=None: folders)
    names = ["link */a.py", "real [x]/b/a.py", "real x/a.py", "link y/a.py", "a.py"]
    traces = [(0, 1, ((str(tmp_path / name), 1),), 1) for name in names]
    assert kept(memtrace.Filter.user_code(), traces) == traces[2:]


def test_a_program(tmp_path: Path, run: Run) -> None:
    (tmp_path / "tables.py").write_text(
        "TABLE = [bytearray(100) for _ in range(1000)]\ndef more():\n    return b'.' * 70_000\n"
    )
    program = tmp_path / "program.py"
    program.write_text("""
import json, sys
import memtrace
memtrace.start(25)
import tables
import decimal, tomllib
kept = tables.more(), json.loads('["' + '.' * 90_000 + '"]'), bytearray(80_000)
snapshot = memtrace.take_snapshot()
for imports in False, True:
    filtered = snapshot.filter_traces([memtrace.Filter.user_code(imports)])
    files = {s.traceback[0].filename.rpartition("/")[2]: s.size for s in filtered.statistics("filename")}
    files.pop("<string>", None)  # what namedtuple() has generated
    assert set(files) == {"program.py", "tables.py"}, files
    assert 80_000 < files["program.py"] < 90_000, files
    assert (70_000 < files["tables.py"] < 80_000) != imports, files
""")
    run(program)
