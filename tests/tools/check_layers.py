#!/usr/bin/env python3
"""Fails when a file includes something outside its layer.

The graph of `src/README.md`, as data: a folder may include itself and what is listed for it, transitively.
Includes of the project are written from the repository's root, so that the first folders of the path name
the layer. Run without arguments; prints one line for each violation.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

# layer -> the layers it is built on. The first match wins, so a file may be its own layer.
LAYERS: dict[str, tuple[str, ...]] = {
    "src/base": (),
    "src/mem": ("src/base",),
    "src/intern": ("src/mem",),
    "src/table": ("src/mem",),
    "src/tracer": ("src/intern", "src/table"),
    "hooks": ("src/tracer",),
    "snapshot/take": ("snapshot/tracer_resolver",),
    "snapshot/tracer_resolver": ("snapshot/site_decoder", "src/tracer"),
    "snapshot/site_decoder": ("snapshot",),
    "snapshot": ("src/base", "src/mem", "src/intern"),
    "python/binding": ("hooks", "snapshot", "snapshot/take"),
}

# third-party header -> the only files that may include it, as path prefixes.
CONFINED: dict[str, tuple[str, ...]] = {
    "Python.h": ("hooks/", "python/binding/", "python/memtrace/include/", "tests/", "benchmarks/", "docs/"),
    "frameobject.h": ("hooks/", "python/binding/", "tests/"),
    "internal/pycore": ("hooks/",),
    "pybind11/": ("python/binding/", "tests/", "docs/"),
    "mimalloc": ("src/mem/", "tests/"),
    "xxhash": ("src/base/hash.", "tests/"),
    "zstd": ("snapshot/", "tests/"),
    "sys/mman.h": ("src/mem/", "tests/"),
}

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
SUFFIXES = {".h", ".hpp", ".cpp", ".cc", ".c", ".inc"}


def layer_of(path: str) -> str | None:
    """The layer a file or an include belongs to; None for what is not ours."""
    for layer in LAYERS:
        if path.startswith((f"{layer}/", f"{layer}.")):
            return layer
    return None


def reachable(layer: str) -> set[str]:
    """The layer itself and everything below it."""
    seen: set[str] = set()
    waiting = [layer]
    while waiting:
        current = waiting.pop()
        if current not in seen:
            seen.add(current)
            waiting.extend(LAYERS[current])
    return seen


def resolve(include: str, includer: str, root: Path) -> str:
    """The include as a path from the root, also when written relative to its file."""
    beside = PurePosixPath(includer).parent / include
    return str(beside) if (root / beside).is_file() else include


def violations(root: Path) -> Iterator[str]:
    """One line for each include that is not allowed."""
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix not in SUFFIXES or name.startswith((".", "build/")):
            continue
        includes = INCLUDE.findall(path.read_text(encoding="utf-8"))
        for header, homes in CONFINED.items():
            for include in includes:
                if include.startswith(header) and not name.startswith(homes):
                    yield f"{name}: includes {include}, which belongs to {', '.join(homes)}"
        layer = layer_of(name)
        if layer is None:
            continue
        allowed = reachable(layer)
        for include in includes:
            target = layer_of(resolve(include, name, root))
            if target is not None and target not in allowed:
                yield f"{name}: {layer} must not include {include} ({target})"
            if include.startswith("../"):
                yield f"{name}: write {include} from the repository's root"


def main() -> int:
    """Exit status 1 when a violation was found."""
    found = list(violations(ROOT))
    for line in found:
        print(line)
    print(f"layers: {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
