#!/usr/bin/env python3
"""Makes the picture in README.md from real output: `make_picture.py docs/leak.svg`.

Runs a small program with a leak on a pseudo-terminal, as a person would, and draws what memtrace showed.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

PROGRAM = """\
import json

seen = {}


def handle(number):
    order = json.loads('{"id": %d, "items": ["tea", "cups", "sugar"], "total": 31.50}' % number)
    seen[number] = order              # never looked at again
    return order["total"]


def report(totals):
    return [f"{total:.2f}" for total in totals]


totals = [handle(number) for number in range(20_000)]
lines = report(totals)
print(f"{len(lines)} orders handled")
"""
COMMANDS = (
    ("run", "--nframe", "25", "-o", "orders.mtrace", "orders.py"),
    ("stats", "orders.mtrace", "--group-by", "function", "--limit", "4"),
)
COLUMNS = 100
# Where this interpreter keeps its library is nobody's business.
LIBRARY = sysconfig.get_path("stdlib")
SHOWN_LIBRARY = "/usr/lib/python3"


def on_terminal(arguments: tuple[str, ...], folder: Path) -> str:
    """What a command writes to a terminal, escape sequences included."""
    leader, follower = pty.openpty()
    # Wide enough that no path of the library is cut before it is replaced by a shorter one.
    columns = COLUMNS + len(LIBRARY) - len(SHOWN_LIBRARY)
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(columns), "LINES": "50"}
    command = [sys.executable, "-m", "memtrace", *arguments]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=follower, stderr=follower) as process:
        os.close(follower)
        output = bytearray()
        while True:
            try:
                output += os.read(leader, 65536)
            except OSError:  # the other end is closed
                break
    os.close(leader)
    if process.returncode != 0:
        sys.exit(f"memtrace {' '.join(arguments)} ended with status {process.returncode}")
    return output.decode().replace("\r\n", "\n")


def main() -> None:
    """Write the picture to the file named on the command line."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        (folder / "orders.py").write_text(PROGRAM, encoding="utf-8")
        for arguments in COMMANDS:
            console.print(Text(f"$ memtrace {' '.join(arguments)}", style="bold green"))
            shown = on_terminal(arguments, folder).replace(f"{folder}/", "").replace(LIBRARY, SHOWN_LIBRARY)
            console.print(Text.from_ansi(shown), no_wrap=True, overflow="crop")
    picture = console.export_svg(title="memtrace", theme=DIMMED_MONOKAI, unique_id="memtrace")
    # The viewer's own monospace font: a picture loads nothing from the network.
    picture = re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    picture = picture.replace("<svg ", '<svg xml:space="preserve" ', 1)
    Path(sys.argv[1]).write_text(picture.replace("Fira Code", "monospace"), encoding="utf-8")


if __name__ == "__main__":
    main()
