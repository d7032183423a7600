"""Bars of text for a row of numbers."""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ASCII = " .:#"
FULL = {True: _EIGHTHS[-1], False: _ASCII[-1]}
SHADES = {True: "░", False: "'"}
"""What rows() draws in a bar and above it, with blocks and in ASCII."""


def column(value: float, first: float, last: float, width: int) -> int:
    """Return in which of *width* columns from *first* to *last* a value is."""
    if last <= first:
        return 0
    return min(int((value - first) / (last - first) * width), width - 1)


def resampled(points: Sequence[tuple[float, int]], width: int) -> list[int]:
    """Return the largest number in each of *width* equal spans; one without points goes on as the one before.

    *points* are pairs of a place and a number, in order of place.
    """
    first, last = points[0][0], points[-1][0]
    largest: list[int | None] = [None] * width
    for place, number in points:
        index = column(place, first, last, width)
        largest[index] = max(largest[index] or 0, number)
    levels: list[int] = []
    for each in largest:
        levels.append((levels[-1] if levels else 0) if each is None else each)
    return levels


def rows(levels: Sequence[int], height: int, top: int, *, above: Sequence[int] = (), blocks: bool = True) -> list[str]:
    """Return *height* lines of text, the highest first, in which *top* is as high as all of them.

    The bars are as high as *levels*; from there to the levels *above* they are shaded.
    """
    parts = _EIGHTHS if blocks else _ASCII
    steps = len(parts) - 1

    def heights(numbers: Sequence[int]) -> list[int]:
        # Rounded up: what is more than nothing is seen.
        return [-(-number * height * steps // top) if top else 0 for number in numbers]

    def cell(bar: int, shade: int, floor: int) -> str:
        return SHADES[blocks] if bar <= floor < shade else parts[min(max(bar - floor, 0), steps)]

    columns = list(zip(heights(levels), heights(above or levels), strict=True))
    return ["".join(cell(*column, row * steps) for column in columns) for row in reversed(range(height))]
