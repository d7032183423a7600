"""A table before it is shown: text only, neither aligned nor escaped."""

from __future__ import annotations

from typing import Literal, NamedTuple

Tone = Literal["", "grew", "shrank"]


class Row(NamedTuple):
    """One line of a table."""

    numbers: tuple[str, ...]
    label: str
    details: tuple[str, ...] = ()
    """Lines of text that belong under the label, such as source code."""
    tone: Tone = ""


class Table(NamedTuple):
    """Columns of numbers and one of labels, between lines of text."""

    heading: tuple[str, ...]
    number_headers: tuple[str, ...]
    label_header: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
