"""A table as plain text: aligned, never cut, one line a row and one a detail."""

from __future__ import annotations

from memtrace.reports.table import Table
from memtrace.reports.text import printable

_GAP = "  "


def render_plain(table: Table, encoding: str = "utf-8") -> str:
    """Return *table* as text that ends with a newline and is safe to print in *encoding*."""
    lines = list(table.heading)
    if table.rows:
        widths = [max(map(len, column)) for column in _number_columns(table)]
        indent = " " * sum(width + len(_GAP) for width in widths)
        lines += ["", _aligned(table.number_headers, widths) + table.label_header]
        for row in table.rows:
            lines.append(_aligned(row.numbers, widths) + printable(row.label, encoding))
            for detail in row.details:
                lines.append(f"{indent}{'  ' if detail.is_place else '    '}{printable(detail.text, encoding)}")
    if table.notes:
        lines += ["", *table.notes]
    return "".join(printable(line, encoding) + "\n" for line in lines)


def _number_columns(table: Table) -> list[tuple[str, ...]]:
    return list(zip(table.number_headers, *(row.numbers for row in table.rows), strict=True))


def _aligned(cells: tuple[str, ...], widths: list[int]) -> str:
    return "".join(cell.rjust(width) + _GAP for cell, width in zip(cells, widths, strict=True))
