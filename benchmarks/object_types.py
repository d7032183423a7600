"""How many bytes of a program get a type, and how long that takes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.object_types import main

if __name__ == "__main__":
    sys.exit(main())
