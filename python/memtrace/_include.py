"""Where the C API of memtrace is."""

from __future__ import annotations

import os


def get_include() -> str:
    """Return the directory of ``memtrace.h``, for the include path of extensions that report blocks.

    The header says how: it needs nothing else, neither to link with nor at run time.
    """
    return os.path.join(os.path.dirname(__file__), "include")  # noqa: PTH118, PTH120 - imports nothing more
