"""Every allocator and mode that the interpreter itself offers: the same answers under each."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

import pytest
from building import Run
from interpreter import HAS_GIL

PROGRAM = """
import gc, memtrace
import workload
from sums import assert_sums_agree
memtrace.start(5)
kept = workload.work()
print(workload.lines())
for _ in range(3):
    assert_sums_agree()
    del kept
    gc.collect()
    workload.release()
    memtrace.stop()
    memtrace.start(5)
    kept = workload.work()
workload.deeper(30)
"""
ALLOCATORS = ["debug", "default"]
if HAS_GIL:
    ALLOCATORS += ["malloc", "malloc_debug", "pymalloc", "pymalloc_debug"]
if sysconfig.get_config_var("WITH_MIMALLOC"):
    ALLOCATORS += ["mimalloc", "mimalloc_debug"]
OPTIONS = [("-X", "dev"), ("-X", "faulthandler"), ("-X", "tracemalloc=3"), ("-O",)]


_expected: list[str] = []


@pytest.fixture
def expected(run: Run) -> str:
    """What the program prints with the interpreter's defaults, from one run for all tests."""
    if not _expected:
        _expected.append(run(PROGRAM))
        assert _expected[0].count("(") >= 5, _expected
    return _expected[0]


@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_allocators_of_the_interpreter(allocator: str, run: Run, expected: str) -> None:
    assert run(PROGRAM, PYTHONMALLOC=allocator) == expected


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_modes_of_the_interpreter(options: tuple[str, ...], run: Run, expected: str) -> None:
    assert run(PROGRAM, *options) == expected


@pytest.mark.parametrize("allocator", ALLOCATORS)
def test_traced_from_the_start(allocator: str, run: Run) -> None:
    """The hooks come after the allocator was chosen, and stay to the end of the process."""
    program = (
        "import workload, memtrace\nassert memtrace.get_traceback_limit() == 25\nworkload.deeper(30)\nprint('done')"
    )
    for options in ((), ("-X", "dev")):
        assert run(program, "-X", "memtrace=25", *options, PYTHONMALLOC=allocator) == "done\n"


# Their frames stand on the same lines.
CRASH = """
import faulthandler, resource
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
{start}
faulthandler.enable()
def inner():
    {statement}
inner()
"""


def report_of(program: str) -> tuple[int, list[str]]:
    """The exit status, and what faulthandler says of the program."""
    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=280
    )
    lines = completed.stderr.splitlines()
    return completed.returncode, [line for line in lines if line.startswith(('  File "<string>"', "Fatal"))]


@pytest.mark.parametrize("statement", ["faulthandler._sigsegv()", "faulthandler._sigabrt()"])
def test_faulthandler_reports_a_crash(statement: str) -> None:
    alone = report_of(CRASH.format(start="", statement=statement))
    start = "import memtrace; memtrace.start(25); kept = [bytearray(i) for i in range(1000)]"
    assert report_of(CRASH.format(start=start, statement=statement)) == alone
    assert alone[0] < 0 and len(alone[1]) >= 3, alone
