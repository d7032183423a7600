"""How long memtrace takes to import, and each command to say what it does."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.start_up import main

if __name__ == "__main__":
    sys.exit(main())
