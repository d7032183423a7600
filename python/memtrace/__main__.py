"""``python -m memtrace``: the command line."""

import os
import sys

from memtrace.cli import main


def _leave_current_directory() -> None:
    """Take back that -m put the current directory first: a program's own click.py may lie there."""
    try:
        directory = os.getcwd()
    except OSError:  # it is gone
        return
    if not sys.flags.safe_path and sys.path[:1] == [directory]:
        del sys.path[0]


if __name__ == "__main__":
    _leave_current_directory()
    main()
