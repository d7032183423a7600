"""memtrace.pth itself: what site makes of it, once or twice."""

from __future__ import annotations

import site
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import memtrace

Interpreter = Callable[..., "subprocess.CompletedProcess[str]"]


def installed_file() -> Path:
    return Path(sysconfig.get_path("platlib"), "memtrace.pth")


def test_it_is_one_line_that_site_executes() -> None:
    (line,) = installed_file().read_text(encoding="ascii").splitlines()
    assert line.startswith("import ")
    assert str(installed_file().parent) in site.getsitepackages()


def test_a_second_run_changes_nothing(interpreter: Interpreter) -> None:
    program = f"""
import memtrace
memtrace.stop()
exec({installed_file().read_text()!r})
print(memtrace.is_tracing())
"""
    completed = interpreter("-X", "memtrace=5", "-c", program)
    assert (completed.stdout, completed.stderr) == ("False\n", "")


def test_a_virtual_environment_may_run_it_twice(interpreter: Interpreter, tmp_path: Path) -> None:
    home = tmp_path / "environment"
    venv.create(home, with_pip=False, symlinks=True)
    executable = str(home / "bin" / "python")
    packages = Path(
        interpreter(
            "-c", "import sysconfig; print(sysconfig.get_path('platlib'))", executable=executable
        ).stdout.strip()
    )
    (packages / "a.pth").write_text(f"{Path(memtrace.__file__).parent.parent}\n")
    (packages / "memtrace.pth").write_text(installed_file().read_text())
    (packages / "z.pth").write_text("import sys; sys.runs = getattr(sys, 'runs', 0) + 1\n")

    program = "import sys, memtrace; print(sys.runs, memtrace.get_traceback_limit(), memtrace.is_tracing())"
    completed = interpreter("-X", "memtrace=5", "-c", program, executable=executable)
    runs = 1 if sys.version_info >= (3, 15) else 2
    assert (completed.stdout, completed.stderr) == (f"{runs} 5 True\n", "")

    completed = interpreter("-X", "memtrace=x", "-c", program, executable=executable)
    assert (completed.returncode, completed.stdout, completed.stderr.count("\n")) == (1, "", 1)


def test_a_sub_interpreter_leaves_the_trace_alone(interpreter: Interpreter) -> None:
    """It runs `site`, too, and the extension module does not load in every kind of it."""
    module = "_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters"
    program = f"""
import {module} as interpreters, memtrace
for _ in range(3):
    inside = interpreters.create()
    interpreters.run_string(inside, "kept = [bytearray(1000)]")
    interpreters.destroy(inside)
print(memtrace.is_tracing(), memtrace.get_traceback_limit())
"""
    completed = interpreter("-X", "memtrace=5", "-c", program)
    assert (completed.stdout, completed.stderr) == ("True 5\n", "")


def test_it_imports_little_into_the_program_but_memtrace(interpreter: Interpreter) -> None:
    program = "import sys; print(*sorted(sys.modules), sep='\\n')"
    without = set(interpreter("-c", program).stdout.split())
    traced = set(interpreter("-X", "memtrace=5", "-c", program).stdout.split())
    added = {name for name in traced if name.split(".")[0] != "memtrace"} - without
    expected = {"__future__", "_operator"}  # a few lines, and built in
    if sys.version_info < (3, 12):
        expected |= {"_xxsubinterpreters"}  # nobody else knows whether this is the main interpreter
    assert added <= expected
