"""Numbers as people read them, and text that is safe to print."""

from __future__ import annotations

from memtrace._size import _format_size

_TAB_WIDTH = 4


def printable(text: str, encoding: str = "utf-8") -> str:
    """Return *text* with all escaped that could move the cursor, reorder or hide text, or not be encoded.

    That is whatever Unicode does not call printable (control and format characters, lone surrogates, line
    and paragraph separators, unassigned code points) and what *encoding* lacks. Tabs become blanks.
    """
    text = text.expandtabs(_TAB_WIDTH)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else _escape(char) for char in text)
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def size(number: float) -> str:
    """Return a number of bytes in the unit that keeps it short, as in ``12.3 KiB``."""
    return _format_size(number, False)


def size_change(number: float) -> str:
    """Return a difference of bytes like size(), with its sign; ``0 B`` has none."""
    return _format_size(number, number != 0)


def count(number: int) -> str:
    """Return a number of things with separators, as in ``1,234``."""
    return f"{number:,}"


def count_change(number: int) -> str:
    """Return a difference of counts like count(), with its sign; 0 has none."""
    return f"{number:+,}" if number else "0"


def blocks(number: int) -> str:
    """Return a number of memory blocks with its noun."""
    return f"{number:,} block" if number == 1 else f"{number:,} blocks"


def percentage(part: float, whole: float) -> str:
    """Return *part* as a percentage of *whole*, ``-`` when there is no whole."""
    return f"{100 * part / whole:.1f}%" if whole else "-"
