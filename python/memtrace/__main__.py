"""``python -m memtrace``: the command line."""

import os
import sys

from memtrace.cli import main

if __name__ == "__main__":
    # -m puts the current directory first, where a program under test may have a click.py of its own.
    if not sys.flags.safe_path and sys.path[:1] == [os.getcwd()]:
        del sys.path[0]
    main()
