"""How much slower, and how much larger, programs get under each tracer."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.overhead import main

if __name__ == "__main__":
    sys.exit(main())
