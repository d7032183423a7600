"""A table before it is shown: text only, neither aligned nor escaped."""

from __future__ import annotations

from typing import Literal, NamedTuple

Tone = Literal["", "grew", "shrank"]


class Detail(NamedTuple):
    """A line of text under a label."""

    text: str
    is_place: bool
    """True for a file and a line, which end with what matters most; False for source code."""


class Row(NamedTuple):
    """One line of a table, and what goes under it."""

    numbers: tuple[str, ...]
    label: str
    details: tuple[Detail, ...] = ()
    tone: Tone = ""


class Table(NamedTuple):
    """Columns of numbers and one of labels, between lines of text."""

    heading: tuple[str, ...]
    number_headers: tuple[str, ...]
    label_header: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
