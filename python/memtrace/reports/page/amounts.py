"""How much each stack has of what a page can show: live, at the peak, or allocated in all."""

from __future__ import annotations

import re
from glob import escape
from typing import NamedTuple

import memtrace
from memtrace.reports.page.stacks import FindLeaf, Stacks
from memtrace.reports.selection import Selection, SelectionError

TAGS = ("thread", "label", "type", "domain")
"""What a page can split memory by."""

_MOST_VALUES = 20
_NATIVE_ID = re.compile(r" \(\d+\)\Z")

Amounts = dict[int, tuple[int, int]]
"""Bytes and blocks by node."""


Parts = dict[str | None, Amounts]
"""What the values of a tag have, by their names; they add up to all. None is what lies beyond the largest."""


class View(NamedTuple):
    """What one snapshot had of something: all of it, and by the values of each tag that is known."""

    amounts: Amounts
    tags: dict[str, Parts]


class Views(NamedTuple):
    """What is to be shown of one snapshot."""

    live: View | None
    peak: View | None
    churn: View | None


def views_of(snapshot: memtrace.Snapshot, selection: Selection, stacks: Stacks) -> Views:
    """Return what is selected of *snapshot*, its stacks added to *stacks*. Raises SelectionError."""
    selected = selection.apply(snapshot)
    if selection.at_peak:
        return Views(None, _view(selected, stacks.finder(), churn=False), None)
    find = stacks.finder()
    live = _view(selected, find, churn=False)
    peak = None
    if snapshot.peak is not None:
        try:
            peak = _view(selection.apply(snapshot.peak), stacks.finder(), churn=False)
        except SelectionError:  # a mark, for one, that was set later
            peak = None
    try:
        churn = _view(selected, find, churn=True)
    except ValueError:  # not known
        churn = None
    return Views(live, peak, churn)


def _view(snapshot: memtrace.Snapshot, find: FindLeaf, *, churn: bool) -> View:
    amounts = _amounts(snapshot, find, churn)
    known = [tag for tag in TAGS if tag != "type" or (not churn and snapshot._to_native().has_types)]
    return View(amounts, {tag: _parts(snapshot, tag, find, churn, amounts) for tag in known})


def _amounts(snapshot: memtrace.Snapshot, find: FindLeaf, churn: bool) -> Amounts:
    if churn:
        return {find(each): (each.allocated_size, each.allocated_count) for each in snapshot.churn("traceback")}
    return {find(each): (each.size, each.count) for each in snapshot.statistics("traceback")}


def _parts(snapshot: memtrace.Snapshot, tag: str, find: FindLeaf, churn: bool, whole: Amounts) -> Parts:
    groups = snapshot.churn(tag) if churn else snapshot.statistics(tag)
    # Threads by their names alone: native ids tell nothing when two runs are compared.
    shown = (str(group.key) for group in groups)
    names = list(dict.fromkeys(_NATIVE_ID.sub("", name) if tag == "thread" else name for name in shown))
    if len(names) == 1:
        return {names[0]: whole}
    parts: Parts = {}
    rest = {node: [size, count] for node, (size, count) in whole.items()}
    for name in names[:_MOST_VALUES]:
        part = parts[name] = _amounts(snapshot.filter_traces([_filter(snapshot, tag, name)]), find, churn)
        for node, (size, count) in part.items():
            rest[node][0] -= size
            rest[node][1] -= count
    left = {node: (size, count) for node, (size, count) in rest.items() if size > 0 or count > 0}
    return parts | ({None: left} if left else {})


def _filter(snapshot: memtrace.Snapshot, tag: str, name: str) -> memtrace.BaseFilter:
    """Return the filter of the groups that statistics by *tag* call *name*."""
    if tag == "thread":
        return memtrace.ThreadFilter(True, escape(name))
    if tag == "label":
        return memtrace.LabelFilter(True, escape(name))
    if tag == "type":
        return memtrace.TypeFilter(True, escape(name))
    numbers = [number for number, known in snapshot._names("domain").items() if known == name]
    return memtrace.DomainFilter(True, numbers[0] if numbers else int(name))
