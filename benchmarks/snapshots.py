"""How long snapshot operations take, and how much memory, with millions of live blocks."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.snapshots import main

if __name__ == "__main__":
    sys.exit(main())
