"""Which module each file of the running program holds."""

from __future__ import annotations

import sys


def module_files() -> dict[str, str]:
    """Return the module name by file name, for the modules that are imported now.

    A file that was imported under two names keeps the first.
    """
    files: dict[str, str] = {}
    for name, module in list(sys.modules.items()):
        try:
            # Not getattr(): a lazily imported module would be loaded by it.
            filename = object.__getattribute__(module, "__dict__").get("__file__")
        except AttributeError:
            continue
        if isinstance(filename, str):
            files.setdefault(filename, name)
    return files
