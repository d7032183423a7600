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


_BYTES = {
    unit: factor
    for power, letter in enumerate("kmgt", start=1)
    for unit, factor in ((f"{letter}ib", 1024**power), (f"{letter}b", 1000**power))
} | {"": 1, "b": 1}


def _parse_size(size: int | str, name: str) -> int:
    """Return the number of bytes that *size* says: an integer, or a text such as ``512 KiB`` or ``64MB``.

    Units are B, KiB, MiB, GiB and TiB, of which each is 1024 of the one before, and kB, MB, GB and TB, of 1000;
    case does not matter, and a number with a unit may have a fraction. *name* is what the argument is called in the
    messages: ValueError for a text that is no size and for a negative number, TypeError for anything else.
    """
    if isinstance(size, str):
        text = size.strip()
        number = text.rstrip("BKMGTibkmgt")
        factor = _BYTES.get(text[len(number) :].lower())
        number = number.rstrip()
        whole, point, fraction = number.partition(".")
        digits = whole + fraction
        fits = (
            digits.isascii()
            and digits.isdigit()
            and len(digits) <= 20
            and bool(whole)
            and bool(point) == bool(fraction)
        )
        if factor is None or not fits or (point and factor == 1):
            raise ValueError(f"{name} must be a number of bytes or a text such as '512 KiB', not {size!r}")
        return int(int(digits) * factor // 10 ** len(fraction))
    if isinstance(size, bool) or not hasattr(size, "__index__"):
        raise TypeError(f"{name} must be an integer or a text such as '512 KiB', not {type(size).__name__}")
    value: int = size.__index__()
    if value < 0:
        raise ValueError(f"{name} must not be negative, not {value}")
    return value
