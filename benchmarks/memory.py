"""How much memory the tracers themselves need, by live block and by distinct stack."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.commands.memory import main

if __name__ == "__main__":
    sys.exit(main())
