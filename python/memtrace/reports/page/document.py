"""The page itself: the one without data, and data put into it."""

from __future__ import annotations

import os
import stat
import tempfile
from base64 import b64encode
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

_NAME = "page.html"
_PLACE = "<!--memtrace data-->"


class PageMissingError(RuntimeError):
    """This installation of memtrace was made without the page."""


def render(data: bytes) -> str:
    """Return the page about *data*. Raises PageMissingError."""
    try:
        template = files("memtrace.reports.page").joinpath(_NAME).read_text("utf-8")
    except FileNotFoundError:
        raise PageMissingError(
            "this installation of memtrace has no page: it was built without Node.js or its packages. Wheels have it, "
            "and so has what `pip install .` builds; python/page/README.md tells how to make it by itself."
        ) from None
    before, _, after = template.partition(_PLACE)
    # Nothing in base64 ends an element.
    return f"{before}{b64encode(data).decode('ascii')}{after}"


def write(path: Path, page: str) -> None:
    """Write *page* into a file, which appears whole or not at all. Raises OSError."""
    if path.exists() and not path.is_file():  # a pipe, or /dev/stdout
        path.write_text(page, "utf-8")
        return
    target = path.resolve()  # what a link points to is replaced, not the link
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.", suffix=".tmp")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 - a descriptor
            file.write(page)
        os.chmod(temporary, _mode(target))  # noqa: PTH101
        os.replace(temporary, target)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def _mode(path: Path) -> int:
    """Return the permissions that a file has, or would have when it is made."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except OSError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask
