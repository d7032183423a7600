"""Which files are the user's own."""

from __future__ import annotations

import os
import sys
import sysconfig
from glob import escape

import memtrace
from memtrace._combined_filter import CombinedFilter
from memtrace._filters import Filter

# Of any installation, for snapshots that come from another.
_PATTERNS = (
    "<frozen *>",
    "<unknown>",
    "*/site-packages/*",
    "*/dist-packages/*",
    "*/lib/python3.[0-9]*/*",
    "*/lib64/python3.[0-9]*/*",
)
_IMPORT_SYSTEM = "<frozen importlib._bootstrap*>"


def user_code(imports: bool) -> CombinedFilter:
    """Return the filter that :meth:`Filter.user_code` promises."""
    patterns = [*_PATTERNS, *(f"{escape(folder)}/*" for folder in _library_folders()), memtrace.__file__]
    hidden = [Filter(True, pattern) for pattern in patterns]
    if not imports:
        hidden.append(Filter(True, _IMPORT_SYSTEM, all_frames=True))
    return ~CombinedFilter("|", *hidden)


def _library_folders() -> list[str]:
    """Return the folders of this process's standard library and packages, as paths may name them."""
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix}
    schemes = sysconfig.get_paths(), sysconfig.get_paths(vars=base)
    folders = {scheme[name] for scheme in schemes for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders.add(os.__file__.rpartition(os.sep)[0])  # the standard library of an interpreter that is not installed
    return sorted(folders | {os.path.realpath(folder) for folder in folders})
