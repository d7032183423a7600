"""Profiles of OpenTelemetry, parsed by the published schema."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from memtrace.exchange import otlp
from memtrace.exchange.records import Records, shown

pytestmark = pytest.mark.once


def parsed(records: Records) -> Any:
    profiles_pb2 = pytest.importorskip(
        "opentelemetry.proto.profiles.v1development.profiles_pb2", reason="opentelemetry-proto is not installed"
    )
    data = otlp.encode(records, "app.mtrace")
    message = profiles_pb2.ProfilesData.FromString(data)
    unknown_fields = pytest.importorskip("google.protobuf.unknown_fields")
    assert len(unknown_fields.UnknownFieldSet(message)) == 0
    return message


def test_totals(records: Records) -> None:
    message = parsed(records)
    strings = message.dictionary.string_table
    ((scope,),) = [each.scope_profiles for each in message.resource_profiles]
    totals = {
        (strings[each.sample_type.type_strindex], strings[each.sample_type.unit_strindex]): sum(
            value for sample in each.samples for value in sample.values
        )
        for each in scope.profiles
    }
    expected = {("inuse_space", "bytes"): records.size, ("inuse_objects", "count"): records.blocks}
    if records.has_churn:
        churn = [record.churn for record in records.records if record.churn]
        expected["alloc_space", "bytes"] = sum(each.allocated_size for each in churn)
        expected["alloc_objects", "count"] = sum(each.allocated_count for each in churn)
    assert totals == expected
    assert scope.scope.name == "memtrace"
    assert {len(each.profile_id) for each in scope.profiles} == {16}


def test_stacks_and_attributes(records: Records) -> None:
    message = parsed(records)
    tables = message.dictionary
    # "MUST have a zero value encoded as the first element"
    for table in (tables.mapping_table, tables.location_table, tables.function_table, tables.link_table):
        assert not table[0].ByteSize()
    assert not tables.attribute_table[0].ByteSize()
    assert not tables.stack_table[0].ByteSize()
    assert tables.string_table[0] == ""
    assert len(set(tables.string_table)) == len(tables.string_table)
    profile = message.resource_profiles[0].scope_profiles[0].profiles[0]
    found: Counter[tuple[tuple[int, ...], tuple[str, ...]]] = Counter()
    for sample in profile.samples:
        lines = []
        for index in tables.stack_table[sample.stack_index].location_indices:
            (line,) = tables.location_table[index].lines
            assert tables.function_table[line.function_index].name_strindex
            lines.append(line.line)
        attributes = [tables.attribute_table[index] for index in sample.attribute_indices]
        texts = {tables.string_table[each.key_strindex]: each.value.string_value for each in attributes}
        assert len(texts) == len(attributes)
        found[tuple(lines), tuple(sorted(texts.values()))] += sample.values[0]
    expected: Counter[tuple[tuple[int, ...], tuple[str, ...]]] = Counter()
    for record in records.records:
        tags = [shown(records, record, tag) for tag in ("thread", "label", "generation", "domain", "type")]
        lines = [place.lineno for place in reversed(record.frames)]
        if record.size:
            expected[tuple(lines), tuple(sorted(tag for tag in tags if tag is not None))] += record.size
    # A function without a name is of a file without one.
    assert found == expected


def test_a_file_by_the_command(live: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    from memtrace.cli.commands import memtrace as command_line

    result = CliRunner().invoke(command_line, ["convert", str(live), "-o", str(tmp_path / "out.otlp")])
    assert result.exit_code == 0
    assert (tmp_path / "out.otlp").stat().st_size > 1_000
