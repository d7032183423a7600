#!/usr/bin/env python3
"""Fails when a wheel lacks something it needs or holds something else: `check_wheel.py FILE.whl`."""

from __future__ import annotations

import re
import sys
import zipfile
from collections.abc import Iterator

NEEDED = (
    r"memtrace\.pth",  # at the root of site-packages: the start-up switch
    r"memtrace/__init__\.py",
    r"memtrace/_core\.cpython-\d+t?-\S+\.so",
    r"memtrace/_core\.pyi",
    r"memtrace/py\.typed",
    r"memtrace/reports/page/page\.html",
    r"memtrace/include/memtrace\.h",
    r"memtrace_python-\S+\.dist-info/entry_points\.txt",
    r"memtrace_python-\S+\.dist-info/licenses/LICENSE",
)
ALLOWED = (
    r"memtrace\.pth|memtrace/py\.typed|memtrace/(?!.*__pycache__).+\.(py|pyi|so|h|html)"
    r"|memtrace_python-[^/]+\.dist-info/.+"
)


def problems(names: list[str]) -> Iterator[str]:
    """One line for each file that is missing or out of place."""
    for pattern in NEEDED:
        if not any(re.fullmatch(pattern, name) for name in names):
            yield f"nothing matches {pattern}"
    for name in names:
        if not re.fullmatch(ALLOWED, name):
            yield f"unexpected: {name}"


def main() -> int:
    """Exit status 1 when a wheel is not as it should be."""
    found = []
    for path in sys.argv[1:]:
        with zipfile.ZipFile(path) as wheel:
            found += [f"{path}: {problem}" for problem in problems(wheel.namelist())]
    for line in found:
        print(line)
    return 1 if found or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
