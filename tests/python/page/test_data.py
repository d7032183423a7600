"""What a page is given is what the snapshot has, to the byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_data import Amount, Frame, Page

import memtrace
from memtrace.reports.page.columns import Columns
from memtrace.reports.page.data import Input, Privacy, encode
from memtrace.reports.selection import Selection, parse_filter, parse_label

Statistics = list[memtrace.Statistic] | list[memtrace.ChurnStatistic]


def by_stack(statistics: Statistics) -> dict[tuple[Frame, ...], Amount]:
    found = {}
    for each in statistics:
        frames = tuple((frame.filename, frame.lineno, frame.function) for frame in each.traceback)
        is_churn = isinstance(each, memtrace.ChurnStatistic)
        found[frames] = (each.allocated_size, each.allocated_count) if is_churn else (each.size, each.count)
    return found


def total(amounts: dict[tuple[Frame, ...], Amount]) -> Amount:
    return sum(size for size, _ in amounts.values()), sum(count for _, count in amounts.values())


@pytest.fixture(scope="module")
def snapshot(shop: Path) -> memtrace.Snapshot:
    return memtrace.Snapshot.load(shop / "new.mtrace")


def page_of(
    snapshot: memtrace.Snapshot, selection: Selection | None = None, old: memtrace.Snapshot | None = None
) -> Page:
    before = None if old is None else Input(old, "old")
    return Page(encode(Input(snapshot, "new"), before, selection or Selection(), Privacy()))


def test_each_stack_has_what_the_snapshot_says(snapshot: memtrace.Snapshot) -> None:
    page = page_of(snapshot)
    selected = Selection().apply(snapshot)
    peak = Selection().apply(snapshot.peak)
    expected = {
        "live": by_stack(selected.statistics("traceback")),
        "peak": by_stack(peak.statistics("traceback")),
        "churn": by_stack(selected.churn("traceback")),
    }
    assert {view["kind"]: page.amounts(view["new"]) for view in page.header["views"]} == expected
    assert all(len(amounts) > 100 for amounts in expected.values())


@pytest.mark.parametrize("kind", ["live", "peak", "churn"])
def test_the_values_of_a_tag_add_up_to_all(snapshot: memtrace.Snapshot, kind: str) -> None:
    page = page_of(snapshot)
    view = page.view(kind)
    expected = page.amounts(view["new"])
    assert set(view["tags"]) == ({"thread", "label", "type"} if kind == "live" else {"thread", "label"})
    for parts in view["tags"].values():
        found: dict[tuple[Frame, ...], Amount] = {}
        for part in parts:
            for stack, (size, count) in page.amounts(part["new"]).items():
                before = found.get(stack, (0, 0))
                found[stack] = before[0] + size, before[1] + count
        assert found == expected


def test_what_is_beyond_the_largest_values_is_one_more() -> None:
    memtrace.start(3)
    kept = []
    for number in range(30):
        with memtrace.label(f"label {number}"):
            kept.append(bytearray(10_000 + 100 * number))
    snapshot = memtrace.take_snapshot()
    memtrace.stop()
    page = page_of(snapshot)
    view = page.view("live")
    parts = {part["name"]: total(page.amounts(part["new"])) for part in view["tags"]["label"]}
    assert len(parts) == 21
    assert parts["other labels"] > (10 * 10_000, 10)
    assert tuple(map(sum, zip(*parts.values(), strict=True))) == total(page.amounts(view["new"]))


def test_a_tag_of_one_value_is_not_one_to_split_by() -> None:
    assert page_of(memtrace.Snapshot([(0, 1, (("a.py", 1),), 1)], 1)).view("live")["tags"] == {}


def test_the_values_of_tags_are_named(snapshot: memtrace.Snapshot) -> None:
    view = page_of(snapshot).view("live")
    names = {tag: {part["name"] for part in parts} for tag, parts in view["tags"].items()}
    assert names["thread"] == {"MainThread", "worker-0", "worker-1"}
    assert names["label"] == {"GET /page/0", "GET /page/1", "GET /page/2", "no label"}


def test_differences_have_both(shop: Path, snapshot: memtrace.Snapshot) -> None:
    old = memtrace.Snapshot.load(shop / "old.mtrace")
    page = page_of(snapshot, old=old)
    view = page.view("live")
    assert page.amounts(view["new"]) == by_stack(Selection().apply(snapshot).statistics("traceback"))
    assert page.amounts(view["old"]) == by_stack(Selection().apply(old).statistics("traceback"))
    for parts in view["tags"].values():
        for side in ("new", "old"):
            totals = [total(page.amounts(part[side])) for part in parts]
            assert tuple(map(sum, zip(*totals, strict=True))) == total(page.amounts(view[side]))


def test_differences_have_what_both_have(snapshot: memtrace.Snapshot) -> None:
    page = page_of(snapshot, old=memtrace.Snapshot([(0, 1, (("a.py", 1),), 1)], 1))
    assert [view["kind"] for view in page.header["views"]] == ["live"]


def test_a_selection(snapshot: memtrace.Snapshot) -> None:
    chosen = Selection(filters=(parse_filter("shop/*", all_frames=True), parse_label("GET *")))
    page = page_of(snapshot, chosen)
    expected = chosen.apply(snapshot)
    assert page.amounts(page.view("live")["new"]) == by_stack(expected.statistics("traceback"))
    assert {part["name"] for part in page.view("live")["tags"]["label"]} == {f"GET /page/{n}" for n in range(3)}


def test_at_the_peak_there_is_nothing_else(snapshot: memtrace.Snapshot) -> None:
    page = page_of(snapshot, Selection(at_peak=True))
    assert [view["kind"] for view in page.header["views"]] == ["peak"]


def test_the_timeline(snapshot: memtrace.Snapshot) -> None:
    page = page_of(snapshot)
    (timeline,) = page.header["timelines"]
    columns = [page.column(timeline[name]) for name in ("seconds", "size", "peak", "resident")]
    assert list(zip(*columns, strict=True)) == [tuple(point) for point in snapshot.timeline]


def test_domains() -> None:
    traces = [(domain, 10 + domain, (("a.py", 1),), 1) for domain in (0, 7, 400_000)]
    page = page_of(memtrace.Snapshot(traces, 1))
    parts = page.view("live")["tags"]["domain"]
    assert [sum(size for size, _ in page.amounts(part["new"]).values()) for part in parts] == [400_010, 17, 10]


def test_samples() -> None:
    memtrace.start(5, sample_interval=1000, seed=1)
    kept = [bytearray(500) for _ in range(1000)]
    snapshot = memtrace.take_snapshot()
    memtrace.stop()
    page = page_of(snapshot)
    assert page.header["notes"] == ["Sizes and counts are estimates from samples, one in 1000 B."]
    assert page.amounts(page.view("live")["new"]) == by_stack(Selection().apply(snapshot).statistics("traceback"))
    assert len(kept) == 1000


def test_an_empty_snapshot() -> None:
    page = page_of(memtrace.Snapshot([], 1))
    assert page.amounts(page.view("live")["new"]) == {}
    assert page.stacks() == [()]


def test_numbers_of_all_sizes() -> None:
    columns = Columns()
    numbers = [[], [0, 255], [256, 1, 65535], [1 << 31, (1 << 32) - 1], [1 << 32, (1 << 53) - 1]]
    added = [columns.add(each) for each in numbers]
    assert [each["type"] for each in added] == ["u8", "u8", "u16", "u32", "f64"]
    assert all(each["offset"] % 8 == 0 for each in added)
    rising = columns.add([7, 300, 100_000], delta=True)
    assert rising["type"] == "u32"
    page = Page.__new__(Page)
    page.data, page._start = columns.to_bytes(), 0
    assert [page.column(each) for each in added] == numbers
    assert page.column(rising) == [7, 300, 100_000]
