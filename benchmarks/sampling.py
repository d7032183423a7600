"""Whether estimates from samples are right, and how sure they say they are."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.sampling import main

if __name__ == "__main__":
    sys.exit(main())
