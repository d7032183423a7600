"""How fast two threads allocate side by side under each tracer, and how fast one alone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.scaling import main

if __name__ == "__main__":
    sys.exit(main())
