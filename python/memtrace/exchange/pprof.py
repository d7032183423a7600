"""pprof: profile.proto, gzipped, as ``go tool pprof``, Grafana Pyroscope, Parca and others read it.

The sample types are those of Go's heap profiles, ``inuse_space`` the one that is shown first. What was allocated is
known of snapshots with churn; others have the last two alone. Labels are ``thread``, ``label``, ``generation``,
``domain`` and ``type``, of snapshots in which they differ; ``generation_number`` and ``domain_number`` go with names.
"""

from __future__ import annotations

import gzip
from typing import Any

from memtrace.exchange.formats import messages
from memtrace.exchange.records import Place, Record, Records, encodable, function_name, shown

_ALLOCATED = (("alloc_objects", "count"), ("alloc_space", "bytes"))
_IN_USE = (("inuse_objects", "count"), ("inuse_space", "bytes"))
_TAGS = ("thread", "label", "generation", "domain", "type")
_NUMBERED = ("generation", "domain")


def encode(records: Records, title: str) -> bytes:
    """Return the file. *title* is what pprof shows as the program. Raises MissingLibraryError without protobuf."""
    return gzip.compress(_Encoder(records, title).encoded(), mtime=0)


class _Encoder:
    def __init__(self, records: Records, title: str) -> None:
        self._records = records
        self._title = title
        self._profile: Any = messages().PprofProfile()
        self._strings: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[Place, int] = {}
        self._numbers: dict[int, int] = {}  # of locations, by id() of a record's place

    def encoded(self) -> bytes:
        records, profile = self._records, self._profile
        for kind, unit in (*_ALLOCATED, *_IN_USE) if records.has_churn else _IN_USE:
            profile.sample_type.add(type=self._string(kind), unit=self._string(unit))
        for record in records.records:
            self._add_sample(record)
        # One mapping: what it has says that nothing is left to be looked up in a binary.
        mapping = profile.mapping.add(id=1, filename=self._string(self._title))
        mapping.has_functions = mapping.has_filenames = mapping.has_line_numbers = True
        for place, number in self._locations.items():
            self._add_location(place, number)
        for (name, filename), number in self._functions.items():
            # No system name: where it is the same, pprof takes <module> for a template's arguments and cuts it off.
            profile.function.add(id=number, name=self._string(name), filename=self._string(filename))
        profile.comment.extend(map(self._string, _comments(records)))
        profile.default_sample_type = self._string("inuse_space")
        profile.duration_nanos = round(records.seconds * 1e9)
        if records.sample_interval:
            profile.period_type.type, profile.period_type.unit = self._string("space"), self._string("bytes")
            profile.period = records.sample_interval
        profile.string_table.extend(encodable(text).encode() for text in self._strings)
        encoded: bytes = profile.SerializeToString()
        return encoded

    def _add_sample(self, record: Record) -> None:
        values = [record.blocks, record.size]
        if self._records.has_churn:
            churn = record.churn
            values = [churn.allocated_count, churn.allocated_size, *values] if churn else [0, 0, *values]
        numbers = [self._location_number(place) for place in reversed(record.frames)]
        sample = self._profile.sample.add(location_id=numbers, value=values)
        for tag in _TAGS:
            text = shown(self._records, record, tag)
            if text is None:
                continue
            sample.label.add(key=self._string(tag), str=self._string(text))
            if tag in _NUMBERED and (number := getattr(record, tag).number) and text != str(number):
                sample.label.add(key=self._string(f"{tag}_number"), num=number)

    def _add_location(self, place: Place, number: int) -> None:
        name = function_name(place)
        function = self._functions.setdefault((name, place.filename), len(self._functions) + 1)
        column = 0 if place.colno is None else place.colno + 1  # counted from 1, in bytes
        location = self._profile.location.add(id=number, mapping_id=1)
        location.line.add(function_id=function, line=place.lineno, column=column)

    def _location_number(self, place: Place) -> int:
        number = self._numbers.get(id(place))
        if number is None:
            plain = place._replace(end_lineno=None, end_colno=None)
            number = self._numbers[id(place)] = self._locations.setdefault(plain, len(self._locations) + 1)
        return number

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))


def _comments(records: Records) -> list[str]:
    comments = ["memory of a Python program, recorded by memtrace"]
    if records.dropped:
        comments.append(f"dropped blocks: {records.dropped} could not be recorded for want of memory")
    if records.sample_interval:
        comments.append(f"sampling interval: {records.sample_interval} bytes; counts and sizes are estimates")
    if not records.has_churn:
        comments.append("no alloc_objects and alloc_space: this snapshot does not know what has come and gone")
    return comments
