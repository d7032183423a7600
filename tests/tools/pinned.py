#!/usr/bin/env python3
"""Prints requirements of pyproject.toml, one a line: `pinned.py build-system test dev`.

For installing a group without building memtrace itself, which `pip install .[dev]` would do.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(group: str) -> list[str]:
    """The requirements of the build system, of the package (`project`) or of one of its extras."""
    project = tomllib.loads((Path(__file__).resolve().parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    if group == "build-system":
        return list(project["build-system"]["requires"])
    if group == "project":
        return list(project["project"]["dependencies"])
    return list(project["project"]["optional-dependencies"][group])


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(*requirements(name), sep="\n")
