"""The command line ``memtrace``, one module per command.

``commands`` holds the list. A command's module imports click and little else, so that help is quick;
reports and Rich are imported when a command runs. ``recording`` is the one module that lives in a traced
program: before that program has ended it imports nothing but modules of memtrace.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line on *arguments* (``sys.argv[1:]`` when None) and exit with its status."""
    from memtrace.cli.commands import memtrace

    memtrace.main(arguments)
    raise AssertionError("click exits by itself in standalone mode")
