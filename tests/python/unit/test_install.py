"""memtrace.install_as_tracemalloc() in processes of their own: it cannot be undone."""

from __future__ import annotations

import pickle
import subprocess
import sys
import tracemalloc
from pathlib import Path


def run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=280)


def test_import_gives_memtrace() -> None:
    code = (
        "import sys, memtrace\n"
        "memtrace.install_as_tracemalloc()\n"
        "memtrace.install_as_tracemalloc()\n"
        "import tracemalloc\n"
        "assert tracemalloc is memtrace and sys.modules['tracemalloc'] is memtrace\n"
    )
    result = run(code)
    assert (result.returncode, result.stderr) == (0, "")


def test_messages_name_the_module_that_was_called() -> None:
    code = (
        "import memtrace\n"
        "def message():\n"
        "    try: memtrace.take_snapshot()\n"
        "    except RuntimeError as error: return str(error)\n"
        "print(message())\n"
        "memtrace.install_as_tracemalloc()\n"
        "print(message())\n"
    )
    assert run(code).stdout.splitlines() == [
        f"the {name} module must be tracing memory allocations to take a snapshot"
        for name in ("memtrace", "tracemalloc")
    ]


def test_values_that_tracemalloc_pickled(tmp_path: Path) -> None:
    traceback = tracemalloc.Traceback((("a.py", 1), ("b.py", 2)), 3)
    snapshot = tracemalloc.Snapshot([(0, 5, (("a.py", 1),), 1)], 7)
    snapshot.note = print  # type: ignore[attr-defined]
    values = (
        tracemalloc.Frame(("a.py", 1)),
        traceback,
        tracemalloc.Trace((0, 5, (("a.py", 1),), 1)),
        tracemalloc.Statistic(traceback, 5, 1),
        tracemalloc.StatisticDiff(traceback, 5, 4, 3, 2),
        snapshot.traces,
        snapshot,
        tracemalloc.DomainFilter(True, 1),
    )
    (tmp_path / "values").write_bytes(pickle.dumps(values))
    code = (
        "import memtrace, pickle\n"
        "memtrace.install_as_tracemalloc()\n"
        f"values = pickle.load(open({str(tmp_path / 'values')!r}, 'rb'))\n"
        "frame, traceback, trace, statistic, difference, traces, snapshot, domain = values\n"
        "assert {type(value).__module__ for value in values} == {'memtrace', 'memtrace._trace'}\n"
        "assert frame.function is traceback[0].function is trace.traceback[0].colno is None\n"
        "assert statistic.key is statistic.traceback and difference.key is difference.traceback\n"
        "assert snapshot.traceback_limit == 7 and snapshot.note is print\n"
        "size = snapshot.statistics('lineno')[0].size\n"
        "print([*map(str, values[:5]), *map(repr, values[:6]), traces._traces, size])\n"
    )
    result = run(code)
    texts = [*map(str, values[:5]), *map(repr, values[:6]), snapshot.traces._traces, 5]
    assert (result.stdout.strip(), result.stderr) == (str(texts), "")


def test_not_while_tracemalloc_traces() -> None:
    result = run("import memtrace; memtrace.install_as_tracemalloc()", "-X", "tracemalloc")
    assert result.returncode == 1
    assert "RuntimeError: tracemalloc is tracing: stop it before memtrace takes its place" in result.stderr


def test_resource_warning_shows_where_the_file_was_opened(tmp_path: Path) -> None:
    program = tmp_path / "leak.py"
    program.write_text(
        "import memtrace\n"
        "memtrace.install_as_tracemalloc()\n"
        "memtrace.start(5)\n"
        "def leak():\n"
        "    return open(__file__)\n"
        "leak()\n"
    )
    result = subprocess.run([sys.executable, "-W", "always", str(program)], capture_output=True, text=True, timeout=280)
    assert result.returncode == 0
    assert "ResourceWarning: unclosed file" in result.stderr
    assert "Object allocated at (most recent call last):" in result.stderr
    assert f'  File "{program}", lineno 5\n    return open(__file__)' in result.stderr
