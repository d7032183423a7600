"""What `import memtrace` costs the program that is to be traced."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

# typing, functools, re and pickle would each cost more than memtrace's own modules.
HEAVY = {
    "typing",
    "functools",
    "collections",
    "re",
    "pickle",
    "linecache",
    "fnmatch",
    "glob",
    "inspect",
    "dataclasses",
    "pathlib",
}


def run(code: str, cache: Path) -> str:
    # -S: what site imports on this machine is not memtrace's doing.
    command = [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"]
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    before = "import os, __future__; before = set(sys.modules); "
    imported = run(before + "import memtrace; print(*set(sys.modules) - before)", tmp_path).split()
    assert not HEAVY & set(imported)
    assert [name for name in imported if not name.startswith("memtrace")] == []


def test_it_does_little(tmp_path: Path) -> None:
    """Counted in calls, which no other work of the machine can change; `import typing` makes 6,000."""
    code = """
import os
calls = 0
def count(frame, event, argument):
    global calls
    calls += event in ("call", "c_call")
sys.setprofile(count)
import memtrace
sys.setprofile(None)
print(calls)
"""
    run(code, tmp_path)  # writes the byte code
    calls = int(run(code, tmp_path))
    assert 0 < calls < 4_500
