"""Lines of source code for the places that a snapshot names."""

from __future__ import annotations

import linecache
import stat
from pathlib import Path

_MAX_FILE_BYTES = 16 * 1024 * 1024


def source_line(filename: str, lineno: int) -> str:
    """Return the line without the blanks around it, empty when it cannot be had.

    A snapshot may come from anywhere and name anything: only a regular file of reasonable size is opened,
    never a pipe or a device. Sources that the running program has registered with linecache count too.
    """
    if lineno < 1 or not (filename in linecache.cache or is_small_file(filename)):
        return ""
    return linecache.getline(filename, lineno).strip()


def is_small_file(filename: str) -> bool:
    """Return whether it is a regular file of reasonable size, which can be read without harm."""
    try:
        status = Path(filename).stat()
    except (OSError, ValueError):  # ValueError: a NUL or a lone surrogate in the name
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_FILE_BYTES
