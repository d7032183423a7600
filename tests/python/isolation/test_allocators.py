"""memtrace's own heap serves the tracer only.

malloc, free, operator new and operator delete, as bound by the process, by memtrace's own module and by
other C++ extensions, are libc's and libstdc++'s, in whatever order the modules are loaded.
"""

from __future__ import annotations

import functools
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., str]

LIBC = re.compile(r"/libc(\.so\.6|-[\d.]+\.so)$")
LIBSTDCXX = re.compile(r"/libstdc\+\+\.so\.6[\d.]*$")

C_FUNCTIONS = ("malloc", "calloc", "realloc", "free")

# How memtrace and its neighbours can meet in one process.
ORDERS = {
    "loaded before": "import neighbour_one, neighbour_two, memtrace",
    "loaded after": "import memtrace, neighbour_one, neighbour_two",
    "one on each side": "import neighbour_one, memtrace, neighbour_two",
    "while tracing": "import memtrace; memtrace.start(25); import neighbour_one, neighbour_two",
    "after tracing": "import neighbour_one, memtrace; memtrace.start(); memtrace.stop(); import neighbour_two",
}

REPORT = """
import json
print(json.dumps([neighbour_one.report(), neighbour_two.report()]))
"""

EXERCISE = """
for _ in range(3):
    neighbour_one.exercise()
    neighbour_two.exercise()
    neighbour_two.release(neighbour_one.allocate())
    neighbour_one.release(neighbour_two.allocate())
print("survived")
"""


@functools.cache
def passed_on() -> set[str]:
    """The functions of libraries that are this executable's to the process: it is linked at a fixed address and takes theirs.

    Such a function is undefined in it and has an address there, a jump to where the executable itself is bound.
    """
    command = ["readelf", "--dyn-syms", "--wide", sys.executable]
    symbols = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {name for address, name in re.findall(r": (\w+) .* UND (\w+)", symbols) if int(address, 16) != 0}


def is_system(function: str, library: str) -> bool:
    """Whether this library is the system's for a function, or the executable which passes that on."""
    if function in passed_on() and Path(library).resolve() == Path(sys.executable).resolve():
        return True
    return (LIBSTDCXX if function.startswith(("operator ", "_Z")) else LIBC).search(library) is not None


@pytest.mark.parametrize("order", ORDERS)
def test_neighbours_are_bound_to_the_system_libraries(order: str, run_with_neighbours: Run) -> None:
    reports = json.loads(run_with_neighbours(ORDERS[order] + REPORT))
    assert len(reports) == 2
    for report in reports:
        assert set(C_FUNCTIONS) < set(report)
        for function, (bound, in_process) in report.items():
            assert is_system(function, bound), (function, bound)
            # libstdc++ comes with an extension, so the global scope of the process may not know it.
            unknown = function not in C_FUNCTIONS and in_process == "nothing"
            assert unknown or is_system(function, in_process), (function, in_process)


@pytest.mark.parametrize("order", ORDERS)
def test_memory_crosses_modules(order: str, run_with_neighbours: Run) -> None:
    """What one library allocates, another frees: two allocators in play would crash here."""
    assert run_with_neighbours(ORDERS[order] + EXERCISE, MALLOC_CHECK_="3").endswith("survived\n")


def test_started_by_the_interpreter_option(run_with_neighbours: Run) -> None:
    program = "import neighbour_one, neighbour_two, memtrace\nassert memtrace.is_tracing()"
    assert run_with_neighbours(program + EXERCISE, "-X", "memtrace=25").endswith("survived\n")


ALLOCATION_SYMBOLS = re.compile(
    r"malloc|calloc|realloc|free|posix_memalign|memalign|aligned_alloc|malloc_usable_size|strdup|strndup|realpath"
    r"|cfree|reallocarray|valloc|pvalloc|_Zn[wa]m\w*|_Zd[la]Pv\w*"
)


def test_every_binding_of_the_process(run_with_neighbours: Run, tmp_path: Path) -> None:
    """The dynamic linker's own account: every module's allocation functions, memtrace's included."""
    run_with_neighbours(
        "import memtrace, neighbour_one; memtrace.start(5); neighbour_one.exercise(); memtrace.stop()",
        LD_DEBUG="bindings",
        LD_BIND_NOW="1",
        LD_DEBUG_OUTPUT=str(tmp_path / "linker"),
    )
    (log,) = tmp_path.glob("linker.*")
    lines = re.findall(r"binding file (\S+) \[0\] to (\S+) \[0\]: \w+ symbol `([^']+)'", log.read_text())
    bound_by: dict[str, set[str]] = {}
    for user, provider, symbol in lines:
        if not ALLOCATION_SYMBOLS.fullmatch(symbol):
            continue
        bound_by.setdefault(user, set()).add(symbol)
        # A library may serve itself, as the dynamic linker and mimalloc do; ours may not.
        assert is_system(symbol, provider) or provider == user, f"{user} takes {symbol} from {provider}"
        assert not (provider == user and "memtrace" in user), f"{user} defines {symbol} itself"
    core = [user for user in bound_by if re.search(r"memtrace/_core\.", user)]
    assert len(core) == 1, "the log says nothing about memtrace's own module"
    assert any("neighbour_one" in user for user in bound_by)


def test_a_hijacked_extension_is_noticed(run_with_neighbours: Run) -> None:
    """The control: linked plainly to a library that overrides the allocator, the report says so."""
    report = json.loads(run_with_neighbours("import hijacked, json; print(json.dumps(hijacked.report()))"))
    assert report["operator new"][0].endswith("libhijacker.so")
    assert report["operator delete"][0].endswith("libhijacker.so")
