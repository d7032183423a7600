"""Format every file of a directory with black, one after another."""

import sys
from pathlib import Path

import black

mode = black.Mode(line_length=60)
for path in sorted(Path(sys.argv[1]).rglob("*.py")):
    text = path.read_text(encoding="utf-8")
    path.write_text(black.format_str(text, mode=mode), encoding="utf-8")
    print(path.name)
