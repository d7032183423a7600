"""statistics() and compare_to() give tracemalloc's lists, in its order, for any data."""

from __future__ import annotations

import random

import pytest
from both import assert_same, plain, random_traces, snapshots

KEYS = [("filename", False), ("lineno", False), ("traceback", False), ("filename", True), ("lineno", True)]


@pytest.mark.parametrize(("key", "cumulative"), KEYS)
def test_statistics(rng: random.Random, key: str, cumulative: bool) -> None:
    both = snapshots(random_traces(rng, rng.choice((0, 1, 5, 50, 500))))
    ours, theirs = both.ours.statistics(key, cumulative), both.stdlib.statistics(key, cumulative)
    assert type(ours) is list
    assert [plain(group) for group in ours] == [plain(group) for group in theirs]
    assert [group.traceback._frames for group in ours] == [group.traceback._frames for group in theirs]


@pytest.mark.parametrize(("key", "cumulative"), KEYS)
def test_compare_to(rng: random.Random, key: str, cumulative: bool) -> None:
    old_traces = random_traces(rng, rng.choice((0, 1, 5, 50, 300)))
    kept = rng.sample(old_traces, rng.randint(0, len(old_traces)))
    new, old = snapshots(kept + random_traces(rng, rng.choice((0, 5, 50)))), snapshots(old_traces)
    ours = new.ours.compare_to(old.ours, key, cumulative)
    theirs = new.stdlib.compare_to(old.stdlib, key, cumulative)
    assert type(ours) is list
    assert [plain(group) for group in ours] == [plain(group) for group in theirs]


@pytest.mark.parametrize(("key", "cumulative"), KEYS)
def test_comparing_a_snapshot_with_its_own_filtered_part(rng: random.Random, key: str, cumulative: bool) -> None:
    traces = random_traces(rng, 100)

    def differences(module):  # type: ignore[no-untyped-def]
        whole = module.Snapshot(traces, 4)
        part = whole.filter_traces([module.Filter(True, "*.py")])
        return [plain(group) for group in part.compare_to(whole, key, cumulative)]

    assert_same(differences)


def test_unknown_keys_fail_alike() -> None:
    for key in ("", "line", "Lineno", "file\nname", None, 5, ("lineno",), ["lineno"]):
        for cumulative in (False, True):
            assert_same(lambda module, key=key, flag=cumulative: module.Snapshot([], 1).statistics(key, flag))
            assert_same(
                lambda module, key=key, flag=cumulative: module.Snapshot([], 1).compare_to(
                    module.Snapshot([], 1), key, flag
                )
            )
    assert_same(lambda module: module.Snapshot([], 1).statistics("traceback", cumulative=True))
    assert_same(lambda module: module.Snapshot([], 1).statistics())
    assert_same(lambda module: module.Snapshot([], 1).compare_to("traceback"))


def test_truth_of_cumulative(rng: random.Random) -> None:
    traces = random_traces(rng, 20)
    for cumulative in (0, 1, "", "yes", None, [], [0]):
        assert_same(
            lambda module, flag=cumulative: [
                plain(group) for group in module.Snapshot(traces, 1).statistics("lineno", cumulative=flag)
            ]
        )
