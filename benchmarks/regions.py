"""How long marks, labels and regions take to enter and leave."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.regions import main

if __name__ == "__main__":
    sys.exit(main())
