"""``python -m memtrace``: the command line."""

from memtrace.cli import main

if __name__ == "__main__":
    main()
