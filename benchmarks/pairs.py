"""How fast this memtrace is beside another one: before and after a change."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.pairs import main

if __name__ == "__main__":
    sys.exit(main())
