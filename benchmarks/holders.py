"""How long memtrace.holders() takes in a program of millions of objects."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.holders import main

if __name__ == "__main__":
    sys.exit(main())
