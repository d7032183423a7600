"""What a page shows, as a header in JSON and columns of numbers."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import memtrace
from memtrace.reports import text
from memtrace.reports.page.amounts import Amounts, Parts, View, Views, views_of
from memtrace.reports.page.columns import Columns
from memtrace.reports.page.places import Kind, Places
from memtrace.reports.page.sources import excerpts
from memtrace.reports.page.stacks import Stacks
from memtrace.reports.selection import Selection

_FORMAT = 1
_ALIGNMENT = 8
_LEVEL = 6
_TOLD_BY_NUMBER = ("thread", "label")
_OF_NOBODY = ("no label", "other labels", "other threads")


class Input(NamedTuple):
    """A snapshot and where it is from."""

    snapshot: memtrace.Snapshot
    name: str


class Privacy(NamedTuple):
    """What a page is not to tell."""

    source: bool = True
    """Whether it shows source code."""
    redact: bool = False
    """Without source code, folders, and the names of threads and labels."""


def encode(new: Input, old: Input | None, selection: Selection, privacy: Privacy, trunk: Container[str] = ()) -> bytes:
    """Return the data of a page about *new*, or about what it has and *old* has not. Raises SelectionError.

    Callers in the files of *trunk* are left out, and those of all that called them.
    That is, compressed, the length of the header as four bytes, the header, and from the next multiple of eight on
    the columns.
    """
    stacks = Stacks(trunk)
    old_views = None if old is None else views_of(old.snapshot, selection, stacks)
    views = views_of(new.snapshot, selection, stacks)
    page = _Page(stacks, privacy)
    header = {
        "format": _FORMAT,
        "title": page.name(new.name),
        "old_title": None if old is None else page.name(old.name),
        "notes": _notes([new] if old is None else [old, new]),
        "redacted": privacy.redact,
        **page.tree(),
        "views": page.views(views, old_views),
        "timelines": [page.timeline(one.snapshot) for one in (new, old) if one is not None],
        "sources": page.sources([view for view in views if view is not None]),
    }
    encoded = json.dumps(header, separators=(",", ":")).encode("ascii")
    data = struct.pack("<I", len(encoded)) + encoded
    data += bytes(-len(data) % _ALIGNMENT)
    return zlib.compress(data + page.columns.to_bytes(), _LEVEL)


class _Page:
    """Numbers files and functions, and puts columns one after the other."""

    def __init__(self, stacks: Stacks, privacy: Privacy) -> None:
        self.columns = Columns()
        self._stacks = stacks
        self._privacy = privacy
        self._places = Places()
        self._files: dict[str, int] = {}

    def name(self, name: str) -> str:
        """Return the name of a snapshot's file, as far as it may be told."""
        return text.printable(self._places.redacted(name) if self._privacy.redact else name)

    def tree(self) -> dict[str, Any]:
        """Return all stacks: files and functions, frames that are made of these, and nodes that are made of those."""
        functions: dict[str | None, int] = {}
        files = [self._files.setdefault(name, len(self._files)) for name, _, _ in self._stacks.frames]
        names = [functions.setdefault(name, len(functions)) for _, _, name in self._stacks.frames]
        parents = self._stacks.parents
        add = self.columns.add
        return {
            "files": [self.name(name) for name in self._files],
            "kinds": [int(self._places.kind(name)) for name in self._files],
            "functions": [None if name is None else text.printable(name) for name in functions],
            "frame_file": add(files),
            "frame_function": add(names),
            "frame_line": add(max(line, 0) for _, line, _ in self._stacks.frames),
            # The distance to the parent: mostly 1, where the number of the parent never repeats.
            "node_up": add(node - parent for node, parent in enumerate(parents)),
            "node_frame": add(self._stacks.node_frames),
        }

    def views(self, new: Views, old: Views | None) -> list[dict[str, Any]]:
        """Return what can be shown; of differences what both snapshots have."""
        found = []
        for kind, view in new._asdict().items():
            before = None if old is None else getattr(old, kind)
            if view is not None and (old is None or before is not None):
                found.append({"kind": kind, **self._amounts(view, before), "tags": self._tags(view, before)})
        return found

    def _amounts(self, view: View, old: View | None) -> dict[str, Any]:
        return {
            "new": self._columns(view.amounts),
            "old": None if old is None else self._columns(old.amounts),
        }

    def _tags(self, view: View, old: View | None) -> dict[str, list[dict[str, Any]]]:
        """Return the parts by the values of each tag that has several; of differences those of both snapshots."""
        tags = {}
        for tag, parts in view.tags.items():
            before: Parts | None = {} if old is None else old.tags.get(tag)
            if before is None:
                continue
            names = list(dict.fromkeys([*parts, *before]))
            if len(names) > 1:
                tags[tag] = [
                    {
                        "name": self._value(tag, name, number),
                        "new": self._columns(parts.get(name, {})),
                        "old": None if old is None else self._columns(before.get(name, {})),
                    }
                    for number, name in enumerate(names, start=1)
                ]
        return tags

    def _value(self, tag: str, name: str | None, number: int) -> str:
        if name is None:
            return f"other {tag}s"
        if self._privacy.redact and tag in _TOLD_BY_NUMBER and name not in _OF_NOBODY:
            return f"{tag} {number}"
        return text.printable(name)

    def _columns(self, amounts: Amounts) -> dict[str, Any]:
        nodes = sorted(amounts)
        return {
            "node": self.columns.add(nodes, delta=True),
            "size": self.columns.add(amounts[node][0] for node in nodes),
            "count": self.columns.add(amounts[node][1] for node in nodes),
        }

    def timeline(self, snapshot: memtrace.Snapshot) -> dict[str, Any]:
        """Return the points of a snapshot's timeline."""
        points = sorted(snapshot.timeline)
        return {
            "seconds": self.columns.add_floats(point.seconds for point in points),
            "size": self.columns.add(max(point.size, 0) for point in points),
            "peak": self.columns.add(max(point.peak, 0) for point in points),
            "resident": self.columns.add(max(point.resident, 0) for point in points),
        }

    def sources(self, views: Iterable[View]) -> list[dict[str, Any]]:
        """Return source code around the lines that occur, by file."""
        if self._privacy.redact or not self._privacy.source:
            return []
        lines = self._bytes_by_line([view.amounts for view in views])
        return [{"file": self._files[name], "excerpts": found} for name, found in excerpts(lines).items()]

    def _bytes_by_line(self, all_amounts: Sequence[Amounts]) -> Mapping[str, Mapping[int, int]]:
        parents, node_frames = self._stacks.parents, self._stacks.node_frames
        totals = [0] * len(parents)
        for amounts in all_amounts:
            for node, (size, _) in amounts.items():
                totals[node] += size
        for node in range(len(parents) - 1, 0, -1):
            totals[parents[node]] += totals[node]
        frames = [0] * len(self._stacks.frames)
        for node in range(1, len(parents)):
            frames[node_frames[node]] += totals[node]
        lines: dict[str, dict[int, int]] = {}
        for (name, lineno, _), size in zip(self._stacks.frames, frames, strict=True):
            if self._places.kind(name) != Kind.IMPORT_SYSTEM:
                of_file = lines.setdefault(name, {})
                of_file[lineno] = of_file.get(lineno, 0) + size
        return lines


def _notes(inputs: Sequence[Input]) -> list[str]:
    """Return what a reader must know to trust the numbers."""
    notes = []
    for one in inputs:
        interval = one.snapshot.sample_interval
        if interval is not None:
            notes.append(f"Sizes and counts are estimates from samples, one in {text.size(interval)}.")
        if one.snapshot.dropped:
            notes.append(
                f"{text.blocks(one.snapshot.dropped)} could not be recorded for want of memory and are missing."
            )
    return list(dict.fromkeys(notes))
