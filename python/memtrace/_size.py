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


# The longest first: all end in B.
_BYTES = {"TiB": 1 << 40, "GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1, "": 1}


def _parse_size(size: int | str, argument: str) -> int:
    """Return the number of bytes that *size* stands for: a number of bytes, or a text such as ``4 KiB``."""
    allowed = "must be a number of bytes from 0, or a text such as '4 KiB' in B, KiB, MiB, GiB or TiB"
    if not isinstance(size, int | str):
        raise TypeError(f"{argument} {allowed}, not {type(size).__name__}")
    if isinstance(size, str):
        unit = next(unit for unit in _BYTES if size.endswith(unit))
        whole, _, fraction = size.removesuffix(unit).strip().partition(".")
        digits, divisor = whole + fraction, int(10 ** len(fraction))
        if digits.isascii() and digits.isdigit():
            return int(digits) * _BYTES[unit] // divisor
    elif size >= 0:
        return int(size)
    raise ValueError(f"{argument} {allowed}, not {size!r}")
