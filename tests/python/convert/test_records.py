"""A snapshot taken apart comes to what it was, by each key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

import memtrace
from memtrace.exchange.records import TAGS, Records, records_of

OfRows = Callable[..., memtrace.Snapshot]


def test_totals(snapshot: memtrace.Snapshot, records: Records) -> None:
    native = snapshot._to_native()
    assert records.size == native.total_size
    if records.sample_interval is None:
        assert records.blocks == native.total_count
    else:
        assert abs(records.blocks - native.total_count) <= len(records.records)  # each is rounded
    assert (records.dropped, records.traceback_limit) == (native.dropped, snapshot.traceback_limit)


@pytest.mark.parametrize("tag", [*TAGS, "type"])
def test_sums_by_tag(tag: str, snapshot: memtrace.Snapshot, records: Records) -> None:
    if tag == "type" and "type" not in records.tags:
        return
    sums: Counter[str] = Counter()
    for record in records.records:
        found = getattr(record, tag)
        sums[found if isinstance(found, str) or found is None else found.text] += record.size
    expected = {str(each.key): each.size for each in snapshot.statistics(tag)}
    assert {key: size for key, size in sums.items() if key in expected} == expected
    assert not any(size for key, size in sums.items() if key not in expected)


def test_sums_by_traceback(snapshot: memtrace.Snapshot, records: Records) -> None:
    sums: Counter[tuple[tuple[str, int], ...]] = Counter()
    for record in records.records:
        sums[tuple((place.filename, place.lineno) for place in record.frames)] += record.size
    expected = {each.traceback._frames: each.size for each in snapshot.statistics("traceback")}
    assert {key: sums[key] for key in expected} == expected
    assert sum(sums.values()) == sum(expected.values())


def test_churn(snapshot: memtrace.Snapshot, records: Records) -> None:
    found = [record.churn for record in records.records if record.churn is not None]
    if not records.has_churn:
        assert found == []
        return
    for name in ("allocated_size", "allocated_count", "freed_size", "freed_count", "temporary_size"):
        expected = sum(getattr(each, name) or 0 for each in snapshot.churn("filename"))
        assert sum(getattr(each, name) or 0 for each in found) == expected
    assert records.seconds == snapshot.churn("filename")[0].seconds


def test_details_of_frames(live: Path) -> None:
    records = records_of(memtrace.Snapshot.load(live))
    place = next(record.frames[-1] for record in records.records if record.size > 50_000)
    assert place.function in ("live_snapshot", "live_snapshot.<locals>.<listcomp>")  # a function until 3.12
    assert place.filename == str(Path(__file__).with_name("conftest.py"))
    assert place.colno is not None
    assert records.tags == {"generation", "thread", "label", "type"}


def test_names_that_two_numbers_share(of_rows: OfRows) -> None:
    names = {"label": {1: "same[*]", 2: "same[*]", 3: "same?"}}
    rows = [((0, 0, 0, label), (1, 10**label)) for label in (0, 1, 2, 3)]
    records = records_of(of_rows(*rows, names=names))
    assert [(record.size, record.label.text) for record in records.records] == [
        (1000, "same?"),
        (100, "same[*]"),
        (10, "same[*]"),
        (1, "0"),
    ]


def test_a_deep_stack_is_one_of_its_length() -> None:
    frames = tuple(("deep.py", line) for line in range(60_000))
    (record,) = records_of(memtrace.Snapshot([(0, 1, frames, None)], 60_000)).records
    assert [place.lineno for place in record.frames] == list(reversed(range(60_000)))


def test_what_is_more_than_a_file_can_say() -> None:
    traces = [(0, (1 << 63) - 1, (("a.py", line),), 1) for line in range(2)]
    with pytest.raises(ValueError, match="too large for a snapshot"):
        records_of(memtrace.Snapshot(traces, 1))
