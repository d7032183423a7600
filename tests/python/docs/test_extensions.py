"""The example extensions of the documentation: built as it says, with and without memtrace in the process."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path

import pybind11
import pytest
from building import Run, compile_c
from interpreter import HAS_GIL

import memtrace

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples" / "extension"
INCLUDE = f"-I{memtrace.get_include()}"
# Before 3.15 a free-threaded build has no limited API. And the pool needs a GIL, of which the interpreter would warn.
LIMITED = HAS_GIL
OPTIONS = [] if HAS_GIL else ["-Xgil=0"]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("examples")
    source = directory / "pool.c"
    text = (EXAMPLES / "pool.c").read_text()
    source.write_text(text if LIMITED else re.sub("#define Py_LIMITED_API.*", "", text))
    compile_c("-fPIC", "-shared", "-Werror", INCLUDE, "-o", str(directory / "pool.so"), str(source))
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    command = [
        "g++",
        "-std=c++17",
        "-O1",
        "-fPIC",
        "-shared",
        "-fvisibility=hidden",
        "-Wall",
        "-Wextra",
        "-Werror",
        INCLUDE,
    ]
    command += [f"-isystem{sysconfig.get_path('include')}", f"-isystem{pybind11.get_include()}"]
    command += ["-o", str(directory / f"arena{suffix}"), str(EXAMPLES / "arena.cpp")]
    subprocess.run(command, check=True)
    return directory


def imported(directory: Path) -> str:
    return f"import sys; sys.path.insert(0, {str(directory)!r})\n"


@pytest.mark.parametrize("first", ["memtrace", "pool"])
def test_the_pool_reports_whoever_comes_first(first: str, built: Path, run: Run) -> None:
    run(
        imported(built)
        + f"import {first}\nimport memtrace, pool\n"
        + """
def blocks():
    traces = memtrace.take_snapshot().filter_traces([memtrace.DomainFilter(True, "pool")]).traces
    return sorted((trace.size, trace.traceback[-1].lineno) for trace in traces)
def here():
    return sys._getframe(1).f_lineno

memtrace.register_domain(760001, "pool")
assert not pool.is_traced()
before = pool.take(10)
for turn in range(3):
    memtrace.start(5)
    assert pool.is_traced()
    assert blocks() == []
    pool.give_back(before)
    piece = pool.take(20); line = here()
    before = pool.take(30); other = here()
    assert blocks() == [(20, line), (30, other)]
    assert pool.resize(piece, 25) == piece; line = here()
    assert blocks() == [(25, line), (30, other)]
    pool.give_back(piece)
    assert blocks() == [(30, other)]
    memtrace.stop()
    assert not pool.is_traced()
""",
        *OPTIONS,
    )


def test_without_memtrace_the_pool_works_as_ever(built: Path, run: Run) -> None:
    run(
        imported(built)
        + """
import pool
for turn in range(3):
    pieces = [pool.take(64) for _ in range(1000)]
    for piece in pieces: pool.give_back(piece)
assert not pool.is_traced()
assert not [name for name in sys.modules if "memtrace" in name]
""",
        *OPTIONS,
    )


def test_an_extension_that_is_imported_while_tracing(built: Path, run: Run) -> None:
    run(
        imported(built)
        + """
import memtrace
memtrace.start()
import pool
assert pool.is_traced()
piece = pool.take(20)
assert [t.size for t in memtrace.take_snapshot().traces if t.domain == 760001] == [20]
memtrace.clear_traces()
assert pool.is_traced()
memtrace.stop()
assert not pool.is_traced()
""",
        *OPTIONS,
    )


def test_the_arena_reports(built: Path, run: Run) -> None:
    run(
        imported(built)
        + """
import arena, memtrace, threading
memtrace.start(5)
def blocks():
    return sorted(trace.size for trace in memtrace.take_snapshot().traces if trace.domain == 760002)
kept = [arena.Buffer(size) for size in (100, 200, 300)]
assert blocks() == [100, 200, 300]
del kept[1]
assert blocks() == [100, 300]
thread = threading.Thread(target=lambda: kept.append(arena.Buffer(400)))
thread.start(); thread.join()
assert blocks() == [100, 300, 400]
memtrace.stop()
kept.clear()
""",
        *OPTIONS,
    )


@pytest.mark.parametrize("language", ["c99", "c11", "c++11", "c++20"])
@pytest.mark.parametrize("limited", [True, False] if LIMITED else [False])
def test_the_header_compiles_without_a_warning(language: str, limited: bool, tmp_path: Path) -> None:
    source = tmp_path / ("all.cpp" if "+" in language else "all.c")
    source.write_text(
        ("#define Py_LIMITED_API 0x030b0000\n" if limited else "")
        + """
        #include <Python.h>
        #include <memtrace.h>
        int all(void);
        int all(void) {
          if (memtrace_import() < 0) return -1;
          if (!memtrace_is_tracing()) return 0;
          return memtrace_track(1, 2, 3) + memtrace_retrack(1, 2, 4, 5) + memtrace_untrack(1, 4);
        }
        """
    )
    compiler = "g++" if "+" in language else "gcc"
    command = [compiler, f"-std={language}", "-O2", "-c", "-Wall", "-Wextra", "-Werror", "-Wpedantic", "-Wconversion"]
    command += [f"-isystem{sysconfig.get_path('include')}", INCLUDE, "-o", str(tmp_path / "all.o"), str(source)]
    subprocess.run(command, check=True)
    if not limited:
        return
    # Nothing that the stable ABI does not have.
    symbols = subprocess.run(["nm", "-u", str(tmp_path / "all.o")], check=True, capture_output=True, text=True).stdout
    asked = {name for name in symbols.split() if name.startswith(("Py", "_Py"))}
    assert asked <= {
        "PyCapsule_GetPointer", "PyCapsule_New", "PySys_GetObject", "PySys_SetObject",
        "_Py_Dealloc", "Py_DecRef", "_Py_DecRef", "_Py_NegativeRefcount",
    }  # fmt: skip


def test_when_nobody_traces_the_check_is_one_load(tmp_path: Path) -> None:
    source = tmp_path / "check.c"
    source.write_text(
        "#include <Python.h>\n#include <memtrace.h>\nint check(void);\nint check(void) { return memtrace_is_tracing(); }\n"
    )
    command = ["gcc", "-O2", "-S", f"-I{sysconfig.get_path('include')}", INCLUDE, "-o", "-", str(source)]
    assembly = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    body = assembly[assembly.index("check:") :].partition(".size")[0]
    assert body.count("memtrace_client_") <= 2, body  # one load; its address takes two instructions on some processors
    assert "call" not in body
