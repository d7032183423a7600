"""Source code for the places that a snapshot names."""

from __future__ import annotations

import io
import linecache
import os
import stat
import tokenize
from pathlib import Path
from typing import NamedTuple

SOURCE_SUFFIXES = (".py", ".pyw", ".pyx", ".pyi")
"""How the files are called whose text may be shown as a whole, whatever a snapshot names."""

_MAX_FILE_BYTES = 16 * 1024 * 1024
# They take time that grows with the square of the length.
_SLOW_ENCODINGS = ("idna", "punycode")


class Source(NamedTuple):
    """The lines of a file, without their ends, and when it was last written."""

    lines: list[str]
    modified: float


def source_line(filename: str, lineno: int) -> str:
    """Return the line without the blanks around it, empty when it cannot be had.

    A snapshot may come from anywhere and name anything: only a regular file of reasonable size is opened,
    never a pipe or a device. Sources that the running program has registered with linecache count too.
    """
    if lineno < 1 or not (filename in linecache.cache or is_small_file(filename)):
        return ""
    return linecache.getline(filename, lineno).strip()


def read_source(filename: str) -> Source | None:
    """Return the whole file, None when it cannot be had. What its encoding does not allow becomes escapes.

    By the rule of source_line(), and only when its name is that of a source file: what is made of it may be passed on.
    """
    if not (filename.endswith(SOURCE_SUFFIXES) and is_small_file(filename)):
        return None
    try:
        # Not to wait for ever where a pipe has taken the place of the file since.
        descriptor = os.open(filename, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        with open(descriptor, "rb") as file:  # noqa: PTH123  (a descriptor)
            status = os.fstat(descriptor)
            data = file.read(_MAX_FILE_BYTES) if _is_small(status) else None
    except OSError:
        return None
    return None if data is None else Source(_lines(data), status.st_mtime)


def _lines(data: bytes) -> list[str]:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode("utf-8" if encoding in _SLOW_ENCODINGS else encoding)
    except (SyntaxError, LookupError, ValueError):
        text = data.decode("utf-8", "backslashreplace")
    # The ends of lines are those of the compiler, not all that str.splitlines() knows.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines if lines[-1] else lines[:-1]


def is_small_file(filename: str) -> bool:
    """Return whether it is a regular file of reasonable size, which can be read without harm."""
    try:
        return _is_small(Path(filename).stat())
    except (OSError, ValueError):  # ValueError: a NUL or a lone surrogate in the name
        return False


def _is_small(status: os.stat_result) -> bool:
    return stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_FILE_BYTES
