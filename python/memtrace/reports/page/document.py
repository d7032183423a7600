"""The page itself: the one without data, and data put into it."""

from __future__ import annotations

from base64 import b64encode
from importlib.resources import files

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
