"""A table as HTML, for notebooks: no script, no style sheet, escaped by construction."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, tostring

from memtrace.reports.table import Row, Table
from memtrace.reports.text import printable

_TONES = {"": "", "grew": "color: #c5221f", "shrank": "color: #1a56b0"}
_DETAIL = "font-family: monospace; opacity: 0.7; white-space: pre"


def render_html(table: Table) -> str:
    """Return *table* as one element, a ``div``."""
    root = Element("div", {"class": "memtrace"})
    for line in table.heading:
        SubElement(SubElement(root, "div"), "b").text = printable(line)
    if table.rows:
        _add_rows(root, table)
    for line in table.notes:
        SubElement(root, "div", style="opacity: 0.7").text = printable(line)
    return tostring(root, encoding="unicode", method="html")


def _add_rows(root: Element, table: Table) -> None:
    grid = SubElement(root, "table")
    header = SubElement(SubElement(grid, "thead"), "tr")
    for text in table.number_headers:
        SubElement(header, "th", style="text-align: right").text = text
    SubElement(header, "th", style="text-align: left").text = table.label_header
    body = SubElement(grid, "tbody")
    for row in table.rows:
        _add_row(SubElement(body, "tr"), row)


def _add_row(element: Element, row: Row) -> None:
    style = f"text-align: right; vertical-align: top; white-space: nowrap; {_TONES[row.tone]}"
    for number in row.numbers:
        SubElement(element, "td", style=style).text = number
    cell = SubElement(element, "td", style="text-align: left")
    SubElement(cell, "div").text = printable(row.label)
    for detail in row.details:
        indent = "" if detail.is_place else "padding-left: 2em; "
        SubElement(cell, "div", style=indent + _DETAIL).text = printable(detail.text)
