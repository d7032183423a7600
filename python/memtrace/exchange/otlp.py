"""Profiles of OpenTelemetry, as a ProfilesData message of its protocol, signal ``v1development``.

One profile for each of ``inuse_space``, ``inuse_objects`` and, of snapshots with churn, ``alloc_space`` and
``alloc_objects``. Attributes of samples are ``thread.name``, ``memtrace.label``, ``memtrace.generation``,
``memtrace.domain`` and ``memtrace.type``, of snapshots in which they differ. The signal is still in development: the
message is that of the Python package opentelemetry-proto 1.45, and a collector has to know the same.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from memtrace.exchange.formats import messages
from memtrace.exchange.records import Place, Record, Records, encodable, function_name, shown

_ATTRIBUTES = {
    "thread": "thread.name",
    "label": "memtrace.label",
    "generation": "memtrace.generation",
    "domain": "memtrace.domain",
    "type": "memtrace.type",
}
_KINDS: tuple[tuple[str, str, Callable[[Record], int]], ...] = (
    ("inuse_space", "bytes", lambda record: record.size),
    ("inuse_objects", "count", lambda record: record.blocks),
    ("alloc_space", "bytes", lambda record: record.churn.allocated_size if record.churn else 0),
    ("alloc_objects", "count", lambda record: record.churn.allocated_count if record.churn else 0),
)


def encode(records: Records, title: str) -> bytes:
    """Return the file. *title* is the attribute ``profile.source`` of the resource.

    Raises MissingLibraryError without protobuf.
    """
    data: Any = messages().ProfilesData()
    encoder = _Encoder(records, data.dictionary)
    resource = data.resource_profiles.add()
    source = resource.resource.attributes.add(key="profile.source")
    source.value.string_value = encodable(title)
    scope_profiles = resource.scope_profiles.add()
    scope_profiles.scope.name = "memtrace"
    for kind, unit, value_of in _KINDS if records.has_churn else _KINDS[:2]:
        encoder.fill(scope_profiles.profiles.add(), kind, unit, value_of)
    encoder.finish()
    encoded: bytes = data.SerializeToString()
    return encoded


class _Encoder:
    """Fills profiles, and the dictionary that all of them share. Entry 0 of each of its tables is the empty one."""

    def __init__(self, records: Records, dictionary: Any) -> None:
        self._records = records
        self._dictionary = dictionary
        self._strings: dict[str, int] = {"": 0}
        self._functions: dict[tuple[str, str], int] = {}
        self._locations: dict[Place, int] = {}
        self._attributes: dict[tuple[str, str], int] = {}
        self._stacks: dict[tuple[int, ...], int] = {}
        self._numbers: dict[int, int] = {}  # of stacks, by id() of a record's frames
        for table in (
            *(dictionary.mapping_table, dictionary.location_table, dictionary.function_table, dictionary.link_table),
            *(dictionary.attribute_table, dictionary.stack_table),
        ):
            table.add()

    def fill(self, profile: Any, kind: str, unit: str, value_of: Callable[[Record], int]) -> None:
        """Add all samples of one kind to *profile*."""
        profile.sample_type.type_strindex, profile.sample_type.unit_strindex = self._string(kind), self._string(unit)
        for record in self._records.records:
            if value := value_of(record):
                attributes = self._attributes_of(record)
                profile.samples.add(stack_index=self._stack(record), attribute_indices=attributes, values=[value])
        profile.duration_nano = round(self._records.seconds * 1e9)
        if self._records.sample_interval:
            profile.period_type.type_strindex = self._string("space")
            profile.period_type.unit_strindex = self._string("bytes")
            profile.period = self._records.sample_interval
        profile.profile_id = sha256(profile.SerializeToString()).digest()[:16]

    def finish(self) -> None:
        """Add the texts; when all else is there."""
        self._dictionary.string_table.extend(map(encodable, self._strings))

    def _attributes_of(self, record: Record) -> list[int]:
        found = []
        for tag, name in _ATTRIBUTES.items():
            text = shown(self._records, record, tag)
            if text is None:
                continue
            number = self._attributes.get((name, text))
            if number is None:
                number = self._attributes[name, text] = len(self._attributes) + 1
                attribute = self._dictionary.attribute_table.add(key_strindex=self._string(name))
                attribute.value.string_value = encodable(text)
            found.append(number)
        return found

    def _stack(self, record: Record) -> int:
        number = self._numbers.get(id(record.frames))
        if number is None:
            locations = tuple(self._location(place) for place in reversed(record.frames))
            number = self._stacks.get(locations)
            if number is None:
                number = self._stacks[locations] = len(self._stacks) + 1
                self._dictionary.stack_table.add(location_indices=locations)
            self._numbers[id(record.frames)] = number
        return number

    def _location(self, place: Place) -> int:
        plain = place._replace(end_lineno=None, end_colno=None)
        number = self._locations.get(plain)
        if number is None:
            number = self._locations[plain] = len(self._locations) + 1
            column = 0 if place.colno is None else place.colno + 1
            line = self._dictionary.location_table.add().lines.add(line=place.lineno, column=column)
            line.function_index = self._function(function_name(place), place.filename)
        return number

    def _function(self, name: str, filename: str) -> int:
        number = self._functions.get((name, filename))
        if number is None:
            number = self._functions[name, filename] = len(self._functions) + 1
            function = self._dictionary.function_table.add(name_strindex=self._string(name))
            function.filename_strindex = self._string(filename)
        return number

    def _string(self, text: str) -> int:
        return self._strings.setdefault(text, len(self._strings))
