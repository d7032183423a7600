"""Filters that tracemalloc does not have, one by one: arguments, values, and what a snapshot must have for them."""

from __future__ import annotations

import copy
import pickle
import threading
from collections.abc import Callable
from typing import Any

import pytest

import memtrace

TRACES = [(0, size, (("a.py", 1),), 1) for size in (0, 1, 4095, 4096, 4097, 2**40)]

EXAMPLES = [
    memtrace.FunctionFilter(True, "app.*", all_frames=True),
    memtrace.ModuleFilter(False, "app"),
    memtrace.PackageFilter(True, "app.models"),
    memtrace.LabelFilter(True, "GET *"),
    memtrace.TypeFilter(False, "app.User"),
    memtrace.ThreadFilter(True, "pool*"),
    memtrace.ThreadFilter(False, 4711),
    memtrace.GenerationFilter(True, 3, 5),
    memtrace.SizeFilter(False, max=100),
    memtrace.LabelFilter(True, "a") & ~memtrace.Filter(False, "a.py", 5) | memtrace.DomainFilter(True, 7),
    memtrace.Filter.user_code(),
]


def sizes(one: memtrace.BaseFilter) -> list[int]:
    return [trace.size for trace in memtrace.Snapshot(TRACES, 1).filter_traces([one]).traces]


@pytest.mark.parametrize("made", EXAMPLES, ids=lambda made: type(made).__name__)
def test_filters_are_values(made: memtrace.BaseFilter) -> None:
    copies = [pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)]
    assert [each == made for each in copies] == [True] * 3
    assert {*copies, made} == {made}
    assert [str(other) for other in EXAMPLES if other == made] == [str(made)]
    assert made != "app"
    assert type(made).__module__ == "memtrace"
    copies[1].inclusive = not made.inclusive
    assert copies[1] != made


def test_how_filters_are_shown() -> None:
    assert repr(memtrace.Filter(True, "a.pyc", 3)) == "Filter(inclusive=True, filename_pattern='a.py', lineno=3)"
    assert repr(memtrace.SizeFilter(False, "1 KiB")) == "SizeFilter(inclusive=False, min=1024)"
    module, label = memtrace.ModuleFilter(True, "a", True), memtrace.LabelFilter(True, "b")
    shown = "ModuleFilter(inclusive=True, pattern='a', all_frames=True)", "LabelFilter(inclusive=True, pattern='b')"
    assert repr(module & ~(label | module)) == f"({shown[0]} & ~({shown[1]} | {shown[0]}))"


def test_sizes() -> None:
    assert sizes(memtrace.SizeFilter(True, 1, 4096)) == [1, 4095, 4096]
    assert sizes(memtrace.SizeFilter(False, 1, 4096)) == [0, 4097, 2**40]
    assert (
        sizes(memtrace.SizeFilter(True, "4 KiB")) == sizes(memtrace.SizeFilter(True, min=4096)) == [4096, 4097, 2**40]
    )
    assert sizes(memtrace.SizeFilter(True, max="4KiB")) == [0, 1, 4095, 4096]
    assert sizes(memtrace.SizeFilter(True, "1 TiB", 2**200)) == [2**40]
    assert sizes(memtrace.SizeFilter(True, 2**64, "99999999999999999999 TiB")) == []
    assert sizes(memtrace.SizeFilter(True, 0, 0)) == [0]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("7 B", 7),
        ("1.5 KiB", 1536),
        ("0.1KiB", 102),
        ("2 MiB", 2 << 20),
        ("3 GiB", 3 << 30),
        ("5 TiB", 5 << 40),
    ],
)
def test_texts_of_sizes(text: str, size: int) -> None:
    assert memtrace.SizeFilter(True, text).min == size
    assert memtrace.SizeFilter(True, max=text).max == size


@pytest.mark.parametrize("size", ["", "KiB", "-1", "1e3", "nan", ".", "1.2.3", "٣", "4 KiB B", -1])
def test_what_is_no_size(size: str | int) -> None:
    with pytest.raises(
        ValueError, match=r"min must (be a number of bytes or a text such as '512 KiB'|not be negative), not "
    ):
        memtrace.SizeFilter(True, size)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: memtrace.FunctionFilter(True, 5), TypeError, "pattern must be a str, not int"),
        (lambda: memtrace.ModuleFilter(True, None), TypeError, "pattern must be a str, not NoneType"),
        (lambda: memtrace.PackageFilter(True, b"a"), TypeError, "package must be a str, not bytes"),
        (lambda: memtrace.PackageFilter(True, ""), ValueError, "package must not be empty"),
        (lambda: memtrace.LabelFilter(True, 5), TypeError, "pattern must be a str, not int"),
        (lambda: memtrace.TypeFilter(True, int), TypeError, "pattern must be a str, not type"),
        (
            lambda: memtrace.ThreadFilter(True, 1.5),
            TypeError,
            "thread must be a pattern for names or a native id, not f",
        ),
        (lambda: memtrace.ThreadFilter(True, -1), ValueError, "thread must be a native id, .*, not -1"),
        (lambda: memtrace.GenerationFilter(True, "warm"), TypeError, r"mark must be what mark\(\) returned, not str"),
        (lambda: memtrace.GenerationFilter(True, 1, "x"), TypeError, r"end must be what mark\(\) returned, not str"),
        (
            lambda: memtrace.GenerationFilter(True, 5, 4),
            ValueError,
            "end must be a later mark than mark, not 4 after 5",
        ),
        (lambda: memtrace.SizeFilter(True), TypeError, "SizeFilter takes min, max or both"),
        (lambda: memtrace.SizeFilter(True, 1.5), TypeError, "min must be .*, not float"),
        (lambda: memtrace.SizeFilter(True, max=[]), TypeError, "max must be .*, not list"),
        (lambda: memtrace.SizeFilter(True, 5, 4), ValueError, "max must be at least min, 5, not 4"),
        (lambda: memtrace.CombinedFilter("^", *EXAMPLES), ValueError, "operator must be '&', '|' or '~', not '\\^'"),
        (lambda: memtrace.CombinedFilter("~", *EXAMPLES), TypeError, "'~' takes one operand, not 11"),
        (lambda: memtrace.CombinedFilter("&", EXAMPLES[0]), TypeError, "'&' takes two or more operands, not 1"),
        (lambda: memtrace.CombinedFilter("|"), TypeError, "'|' takes two or more operands, not 0"),
        (lambda: memtrace.CombinedFilter("~", 5), TypeError, "operands must be filters, not int"),
        (lambda: EXAMPLES[0] & 5, TypeError, "unsupported operand"),
        (lambda: [] | EXAMPLES[0], TypeError, "unsupported operand"),
    ],
)
def test_bad_arguments(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_arguments_that_were_made_bad_afterwards() -> None:
    by_label = memtrace.LabelFilter(True, "a")
    by_label.pattern = 5  # type: ignore[assignment]
    with pytest.raises(TypeError, match="expected str, not int"):
        sizes(by_label)
    by_size = memtrace.SizeFilter(True, 1)
    by_size.max = "4 KiB"  # type: ignore[assignment]
    with pytest.raises(TypeError, match="str"):
        sizes(by_size)


def test_what_has_no_end_is_compared_all_the_same() -> None:
    assert sizes(memtrace.GenerationFilter(True, 2**70)) == []
    assert len(sizes(memtrace.GenerationFilter(True, 0, 2**70))) == len(TRACES)


def test_a_snapshot_without_blocks_has_no_sizes(traced: None) -> None:
    snapshot = memtrace.take_snapshot(blocks=False)
    for made in (memtrace.SizeFilter(True, 1), ~(memtrace.DomainFilter(True, 0) | memtrace.SizeFilter(False, 1))):
        with pytest.raises(ValueError, match="taken with blocks=False: it has no blocks whose size could be looked at"):
            snapshot.filter_traces([made])


def test_a_snapshot_without_types(traced: None) -> None:
    with pytest.raises(ValueError, match="the snapshot was taken without types"):
        memtrace.take_snapshot().filter_traces([memtrace.TypeFilter(True, "dict")])


def test_literal_traces_have_numbers_for_names() -> None:
    assert len(sizes(memtrace.LabelFilter(True, "0"))) == len(TRACES)
    assert sizes(memtrace.LabelFilter(False, "?")) == []
    assert len(sizes(memtrace.ThreadFilter(True, "0"))) == len(TRACES)
    assert sizes(memtrace.ThreadFilter(True, 0)) == []
    assert len(sizes(memtrace.FunctionFilter(True, "a.<unknown>"))) == len(TRACES)


def test_combinations_in_lists() -> None:
    """A combined filter counts as one inclusive filter, whatever its operands are."""
    small, large = memtrace.SizeFilter(True, max=1), memtrace.SizeFilter(True, 4096)
    snapshot = memtrace.Snapshot(TRACES, 1)

    def kept(*filters: memtrace.BaseFilter) -> list[int]:
        return [trace.size for trace in snapshot.filter_traces(filters).traces]

    assert kept(small, large) == kept(small | large) == [0, 1, 4096, 4097, 2**40]
    not_small = memtrace.SizeFilter(False, max=1)
    assert kept(small, not_small) == []
    assert kept(~not_small) == kept(small, ~not_small) == [0, 1]
    assert kept(small | not_small) == [trace[1] for trace in TRACES]
    assert kept(large & not_small, memtrace.SizeFilter(False, 2**20)) == [4096, 4097]
    excluding = small | large
    excluding.inclusive = False
    assert kept(excluding) == kept(~~excluding) == [4095]
    assert repr(excluding).startswith("CombinedFilter(inclusive=False, operator='|', operands=(SizeFilter(")


def test_chains_are_one_level() -> None:
    chain: memtrace.BaseFilter = memtrace.SizeFilter(True, 1, 1)
    for size in range(2, 5000):
        chain = chain | memtrace.SizeFilter(True, size, size)
    assert isinstance(chain, memtrace.CombinedFilter)
    assert len(chain.operands) == 4999
    assert sizes(chain) == [1, 4095, 4096, 4097]
    assert (EXAMPLES[0] & EXAMPLES[1]) & EXAMPLES[2] == EXAMPLES[0] & (EXAMPLES[1] & EXAMPLES[2])


def test_too_deep() -> None:
    deep: memtrace.BaseFilter = memtrace.SizeFilter(True, 1)
    for _ in range(100):
        deep = ~deep
    assert sizes(deep) == [size for _, size, *_ in TRACES if size]
    with pytest.raises(ValueError, match="filters are combined more than 100 deep"):
        sizes(~deep)


def test_a_filter_of_ones_own_is_asked_once_for_each_block() -> None:
    asked = []

    class Own(memtrace.BaseFilter):
        def _match(self, trace: Any) -> bool:
            asked.append(trace)
            return bool(trace[1] % 2)

    class OwnSize(memtrace.Filter):
        def _match(self, trace: Any) -> bool:
            return bool(trace[1] > 4000)

    class Even(memtrace.SizeFilter):
        def _match(self, trace: Any) -> bool:
            return not trace[1] % 2

    assert sizes(Even(True, 5)) == sizes(~~Even(True, 5)) == [0, 4096, 2**40]
    assert sizes(Own(True) & memtrace.SizeFilter(True, 4095) & ~OwnSize(False, "*")) == []
    assert sizes(Own(True) & OwnSize(True, "*")) == [4095, 4097]
    assert asked == TRACES * 2


def test_filters_of_tracemalloc_work_too() -> None:
    import tracemalloc

    snapshot = memtrace.Snapshot([(0, 1, (("a.py", 1),), 1), (0, 2, (("b.py", 1),), 1)], 1)
    theirs, ours = tracemalloc.Filter(True, "a.py"), memtrace.SizeFilter(True, 2)
    assert [trace.size for trace in snapshot.filter_traces([theirs]).traces] == [1]  # type: ignore[list-item]
    assert [trace.size for trace in snapshot.filter_traces([theirs, ours]).traces] == [1, 2]  # type: ignore[list-item]


def test_modules_are_those_of_the_running_program(traced: None) -> None:
    kept = bytearray(100_000)
    snapshot = memtrace.take_snapshot()
    for made in (
        memtrace.FunctionFilter(True, f"{__name__}.test_modules_*"),
        memtrace.ModuleFilter(True, __name__),
        memtrace.PackageFilter(True, __name__, all_frames=True),
    ):
        found = [trace.size for trace in snapshot.filter_traces([made]).traces]
        assert len(kept) < max(found) < len(kept) + 100, made


def test_what_no_label_has_and_threads_of_one_name(traced: None) -> None:
    memtrace.track(84, 1, 10)
    with memtrace.label("a"):
        memtrace.track(84, 2, 20)
    thread = threading.Thread(target=memtrace.track, args=(84, 3, 40), name="a [b] (c)")
    thread.start()
    thread.join()
    snapshot = memtrace.take_snapshot()

    def size_of(made: memtrace.BaseFilter) -> int:
        return sum(trace.size for trace in snapshot.filter_traces([made & memtrace.DomainFilter(True, 84)]).traces)

    assert size_of(memtrace.LabelFilter(True, "no label")) == 50
    assert size_of(memtrace.LabelFilter(False, "no label")) == 20
    assert size_of(memtrace.ThreadFilter(True, "a [[]b] (c)")) == 40
    assert size_of(memtrace.ThreadFilter(False, thread.native_id or 0)) == 30
    assert size_of(memtrace.ThreadFilter(True, "a*") | memtrace.LabelFilter(True, "a")) == 60
