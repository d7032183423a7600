"""Human-readable sizes, as they appear in the text of statistics and traces."""

from __future__ import annotations

_UNITS = ("B", "KiB", "MiB", "GiB")


def _format_size(size: float, sign: bool) -> str:
    """Return *size* bytes as text in the largest unit that keeps it readable.

    Bytes are shown up to 10 KiB; from there on each unit is used while the number has at most two
    digits (shown with one decimal) or stays below 10,240 (shown without). *sign* shows the plus
    sign of a positive number.
    """
    plus = "+" if sign else ""
    for unit in _UNITS:
        if unit != "B" and abs(size) < 100:
            return f"{size:{plus}.1f} {unit}"
        if abs(size) < 10 * 1024:
            return f"{size:{plus}.0f} {unit}"
        size /= 1024
    return f"{size:{plus}.{1 if abs(size) < 100 else 0}f} TiB"
