"""How long a page about a large snapshot takes to write, to open and to search."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.page import main

if __name__ == "__main__":
    sys.exit(main())
