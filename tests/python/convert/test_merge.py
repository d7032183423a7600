"""Snapshots of several processes as one: everything adds up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import memtrace
from memtrace import merge
from memtrace.exchange.records import TAGS

Invoke = Callable[..., Result]
OfRows = Callable[..., memtrace.Snapshot]
KEYS = ("traceback", "filename", "lineno", "function", "module", *TAGS)


def sums(snapshots: list[memtrace.Snapshot], key_type: str) -> Counter[Any]:
    """Bytes by key; the keys of tracebacks are their frames."""
    total: Counter[Any] = Counter()
    for snapshot in snapshots:
        for each in snapshot.statistics(key_type):
            total[each.key if isinstance(each.key, str) else each.key._frames] += each.size
    return total


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, live: Path) -> list[memtrace.Snapshot]:
    """Two traces of different eras, one with more labels and another mark."""
    memtrace.start(3)
    with memtrace.label("GET /users"):
        kept = [bytearray(1_000)]
    with memtrace.label("other"):
        kept.append(bytearray(2_000))
        bytearray(5_000)
    memtrace.mark("late")
    kept.append(bytearray(3_000))
    second = memtrace.take_snapshot(types=True)
    memtrace.stop()
    path = tmp_path_factory.mktemp("pair") / "second.mtrace"
    second.dump(path)
    return [memtrace.Snapshot.load(live), memtrace.Snapshot.load(path)]


@pytest.mark.parametrize("key_type", [*KEYS, "type"])
def test_sums(key_type: str, pair: list[memtrace.Snapshot]) -> None:
    merged = merge(pair)
    if key_type == "generation":
        return
    assert sums([merged], key_type) == sums(pair, key_type)
    native = merged._to_native()
    assert native.total_count == sum(each._to_native().total_count for each in pair)


def test_marks_have_one_order(pair: list[memtrace.Snapshot]) -> None:
    merged = merge(pair)
    found, expected = sums([merged], "generation"), sums(pair, "generation")
    for name in ("warm", "late"):
        # This process may have set marks of that name before.
        numbers = [number for number, each in merged._names("generation").items() if each == name]
        assert found[name] == expected[name] > 0
        assert merged.since(min(numbers))._to_native().total_size >= expected[name]


@pytest.mark.parametrize("key_type", ["traceback", "lineno", "label", "thread", "module"])
def test_churn(key_type: str, pair: list[memtrace.Snapshot]) -> None:
    def amounts(snapshots: list[memtrace.Snapshot]) -> dict[str, Counter[Any]]:
        found: dict[str, Counter[Any]] = {}
        for snapshot in snapshots:
            for each in snapshot.churn(key_type):
                key = each.key if isinstance(each.key, str) else each.key._frames
                for name in ("allocated_size", "allocated_count", "freed_size", "temporary_count"):
                    found.setdefault(name, Counter())[key] += getattr(each, name)
        return found

    merged = merge(pair)
    assert amounts([merged]) == amounts(pair)
    assert merged.churn("filename")[0].seconds == max(each.churn("filename")[0].seconds for each in pair)


def test_single_blocks(pair: list[memtrace.Snapshot]) -> None:
    merged = merge([*pair, pair[0]])
    assert [trace._trace for trace in merged.traces] == [
        trace._trace for each in [*pair, pair[0]] for trace in each.traces
    ]


def test_every_kind_of_snapshot(snapshot: memtrace.Snapshot, live: Path) -> None:
    other = memtrace.Snapshot.load(live)
    merged = merge([snapshot, other, snapshot])
    size = 2 * snapshot._to_native().total_size + other._to_native().total_size
    assert merged._to_native().total_size == size
    for key_type in ("traceback", "function", "domain"):
        assert sums([merged], key_type) == sums([snapshot, other, snapshot], key_type)
    assert merged.traceback_limit == max(snapshot.traceback_limit, other.traceback_limit)


def test_samples_keep_their_errors_and_blocks(sampled: memtrace.Snapshot) -> None:
    merged = merge([sampled, sampled])
    assert merged.sample_interval == 2_000
    assert len(merged.traces) == 2 * len(sampled.traces)
    for one, two in zip(sampled.statistics("traceback"), merged.statistics("traceback"), strict=True):
        assert two.size == 2 * one.size
        assert two.size_error == pytest.approx(one.size_error * 2**0.5)
    # Single blocks weigh what they did.
    some = [memtrace.SizeFilter(True, 5_000)]
    assert merged.filter_traces(some)._to_native().total_size == 2 * sampled.filter_traces(some)._to_native().total_size


def test_other_intervals_stay_apart(sampled: memtrace.Snapshot) -> None:
    exact = memtrace.Snapshot([trace._trace for trace in sampled.traces], 10)
    merged = merge([exact, sampled])
    assert merged.sample_interval == 2_000
    assert merged._to_native().total_size == exact._to_native().total_size + sampled._to_native().total_size
    errors = sum(each.size_error**2 for each in merged.statistics("traceback"))
    assert errors == pytest.approx(sum(each.size_error**2 for each in sampled.statistics("traceback")))


def test_threads_and_labels_with_numbers_of_their_own(of_rows: OfRows) -> None:
    def snapshot(numbers: dict[int, str], size: int) -> memtrace.Snapshot:
        rows = [((0, 0, number, number), (1, size)) for number in numbers]
        return of_rows(*rows, names={"label": numbers, "thread": numbers})

    merged = merge([snapshot({1: "a", 2: "b"}, 10), snapshot({1: "b", 9: "c"}, 100)])
    for tag in ("label", "thread"):
        assert {each.key: each.size for each in merged.statistics(tag)} == {"a": 10, "b": 110, "c": 100}


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        ([{1: "a"}, {1: "a", 2: "b"}], [{1: "a", 2: "b"}]),
        ([{1: "a"}, {2: "a"}], [{1: "a"}]),
        ([{1: "a", 2: "c"}, {1: "b", 2: "c"}], [{1: "a", 2: "b", 3: "c"}, {1: "b", 2: "a", 3: "c"}]),
        ([{1: "a", 2: "b"}, {1: "b", 2: "a"}], [{}]),
        ([{1: "a", 2: "a"}, {1: "a", 2: "a"}], [{1: "a", 2: "a"}]),
        ([{5: "a"}, {3: "", 5: "b"}], [{1: "a", 3: "b"}, {2: "a", 3: "b"}, {1: "a", 2: "b"}]),
    ],
)
def test_orders_of_marks(marks: list[dict[int, str]], expected: list[dict[int, str]], of_rows: OfRows) -> None:
    def snapshot(names: dict[int, str]) -> memtrace.Snapshot:
        rows = [((0, number, 0, 0), (1, 1)) for number in names]
        return of_rows(*rows, names={"generation": {number: name for number, name in names.items() if name}})

    merged = merge(list(map(snapshot, marks)))
    assert merged._names("generation") in expected
    assert merged._to_native().total_count == sum(map(len, marks))
    for number, name in merged._names("generation").items():
        since = merged.since(number).statistics("generation")
        assert name in {each.key for each in since}


def test_types_of_some(of_rows: OfRows) -> None:
    typed = of_rows(((0, 0, 0, 0), (1, 5)), ((0, 0, 0, 0), (2, 6)), types=["list", "dict"])
    untyped = of_rows(((0, 0, 0, 0), (1, 5)))
    empty = memtrace.Snapshot([], 1)
    assert {each.key: each.size for each in merge([empty, typed, typed]).statistics("type")} == {"list": 10, "dict": 12}
    with pytest.raises(ValueError, match="has no types"):
        merge([typed, untyped]).statistics("type")


def test_modules_and_domains_of_the_first(of_rows: OfRows) -> None:
    def snapshot(name: str) -> memtrace.Snapshot:
        made = of_rows(((900, 0, 0, 0), (1, 5)), names={"domain": {900: name}})
        made._to_native().set_modules({"a.py": name})
        return made

    merged = merge([snapshot("first"), snapshot("second")])
    assert [each.key for each in merged.statistics("module")] == ["first"]
    assert [each.key for each in merged.statistics("domain")] == ["first"]


def test_what_cannot_be_merged(of_rows: OfRows) -> None:
    with pytest.raises(TypeError, match="snapshots must be Snapshot objects, not int"):
        merge([1])  # type: ignore[list-item]
    with pytest.raises(ValueError, match="snapshots must have at least one"):
        merge([])
    large = of_rows(((0, 0, 0, 0), (1, 1 << 62)))
    with pytest.raises(ValueError, match="too large for a snapshot"):
        merge([large, large])


def test_the_command(invoke: Invoke, live: Path, tmp_path: Path) -> None:
    output = tmp_path / "all.mtrace"
    result = invoke("merge", live, live, live, "-o", output)
    assert (result.exit_code, result.output) == (0, "")
    once, three = (json.loads(invoke("stats", file, "--json").stdout) for file in (live, output))
    assert (three["size"], three["count"]) == (3 * once["size"], 3 * once["count"])
    for words in (["--label", "GET *"], ["--since", "warm"], ["--thread", "worker"], ["--group-by", "type"]):
        once, three = (json.loads(invoke("stats", file, "--json", *words).stdout) for file in (live, output))
        assert three["size"] == 3 * once["size"] > 0
    assert invoke("diff", live, output).exit_code == 0


def test_what_is_left_out_is_said(invoke: Invoke, live: Path, tmp_path: Path) -> None:
    plain = tmp_path / "plain.mtrace"
    memtrace.Snapshot([(0, 5, (("a.py", 1),), 1)], 1).dump(plain)
    result = invoke("merge", live, plain, "-o", tmp_path / "out.mtrace")
    assert result.exit_code == 0
    assert result.stderr.splitlines() == [
        "memtrace: what has come and gone is left out: not every file has that",
        "memtrace: types are left out: not every file has that",
    ]


def test_bad_input(invoke: Invoke, live: Path, tmp_path: Path) -> None:
    result = invoke("merge", live, "-o", tmp_path / "out.mtrace")
    assert result.exit_code == 2
    assert "Invalid value for 'FILE FILE...': needs two snapshots or more." in result.output
    assert invoke("merge", live, live).exit_code == 2
    assert invoke("merge", live, tmp_path / "missing", "-o", tmp_path / "out.mtrace").exit_code == 2
    result = invoke("merge", live, live, "-o", tmp_path / "no" / "out.mtrace")
    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "cannot be written: No such file or directory" in result.output
