"""What a command writes to a window of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

_COLOURS = re.compile("\x1b\\[[0-9;?]*[a-zA-Z]")
_REMOVED = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PYTHONMEMTRACE")


def shown_in_window(directory: Path, columns: int, *words: object, status: int = 0, **variables: str) -> str:
    """Return what `python -m memtrace` with these words shows, without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in _REMOVED}
    child = subprocess.Popen(
        [sys.executable, "-m", "memtrace", *map(str, words)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=directory,
        env=environment | {"TERM": "xterm-256color"} | variables,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        written += part
    os.close(ours)
    assert child.wait(timeout=280) == status, written
    return _COLOURS.sub("", written.decode().replace("\r\n", "\n"))
