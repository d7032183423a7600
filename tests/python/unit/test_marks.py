"""Marks and generations: what was allocated when, and is still alive."""

from __future__ import annotations

import pickle
import random
import threading
from collections import Counter
from pathlib import Path

import pytest

import memtrace

DOMAIN = 78


pytestmark = pytest.mark.usefixtures("traced")


def reported(snapshot: memtrace.Snapshot) -> int:
    """Bytes of what the tests report."""
    return sum(s.size for s in snapshot.filter_traces([memtrace.DomainFilter(True, DOMAIN)]).statistics("domain"))


def by_generation(snapshot: memtrace.Snapshot) -> dict[str, int]:
    kept = snapshot.filter_traces([memtrace.DomainFilter(True, DOMAIN)])
    return {str(statistic.key): statistic.size for statistic in kept.statistics("generation")}


def test_what_survives_is_the_models() -> None:
    choose = random.Random(7)
    first = memtrace.mark()
    generations = [first]
    blocks: dict[int, tuple[int, int]] = {}  # address: generation, size
    for address in range(20_000):
        if blocks and choose.random() < 0.45:
            memtrace.untrack(DOMAIN, gone := choose.choice(list(blocks)[-50:]))
            del blocks[gone]
        memtrace.track(DOMAIN, address, size := choose.randrange(1, 1000))
        blocks[address] = generations[-1], size
        if choose.random() < 0.005:
            generations.append(memtrace.mark())
    snapshot = memtrace.take_snapshot()
    sums = Counter[int]()
    for generation, size in blocks.values():
        sums[generation] += size
    assert by_generation(snapshot) == {str(int(generation)): size for generation, size in sums.items()}
    for _ in range(100):
        begin, end = sorted(choose.choices(generations, k=2))
        assert reported(snapshot.since(begin)) == sum(sums[each] for each in generations if each >= begin)
        assert reported(snapshot.between(begin, end)) == sum(sums[each] for each in generations if begin <= each < end)
    assert len(snapshot.between(first, first).traces) == 0


def test_a_generation_is_a_number_with_a_name() -> None:
    plain, named = memtrace.mark(), memtrace.mark("warm")
    assert named == plain + 1
    assert (plain.name, named.name) == (None, "warm")
    assert repr(named) == f"<Generation {int(named)} 'warm'>"
    assert str(named) == str(int(named))


def test_names_are_shown_and_stored(tmp_path: Path) -> None:
    memtrace.mark("loading")
    memtrace.track(DOMAIN, 1, 100)
    serving = memtrace.mark("serving")
    memtrace.track(DOMAIN, 2, 30)
    snapshot = memtrace.take_snapshot()
    assert by_generation(snapshot) == {"loading": 100, "serving": 30}
    snapshot.dump(tmp_path / "marks")
    loaded = memtrace.Snapshot.load(tmp_path / "marks")
    assert by_generation(loaded) == {"loading": 100, "serving": 30}
    assert reported(loaded.since(serving)) == 30


def test_marks_outlive_traces() -> None:
    before = memtrace.mark()
    memtrace.track(DOMAIN, 1, 100)
    memtrace.clear_traces()
    memtrace.track(DOMAIN, 2, 10)
    between = memtrace.mark()
    memtrace.stop()
    assert memtrace.mark() == between + 1
    memtrace.start(3)
    memtrace.track(DOMAIN, 3, 1)
    snapshot = memtrace.take_snapshot()
    assert reported(snapshot.since(before)) == reported(snapshot.since(between)) == 1


def test_all_threads_are_in_the_new_generation() -> None:
    def work(address: int) -> None:
        memtrace.track(DOMAIN, address, 1)
        barrier.wait()
        barrier.wait()
        memtrace.track(DOMAIN, 100 + address, 1000)

    barrier = threading.Barrier(9)
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    barrier.wait()
    generation = memtrace.mark()
    barrier.wait()
    for thread in threads:
        thread.join()
    snapshot = memtrace.take_snapshot()
    assert reported(snapshot.since(generation)) == 8000
    assert reported(snapshot.between(0, generation)) == 8


def test_what_is_no_mark() -> None:
    snapshot = memtrace.take_snapshot()
    with pytest.raises(TypeError, match="name must be a str"):
        memtrace.mark(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="mark must be what mark"):
        snapshot.since("start")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mark must be what mark"):
        snapshot.since(-1)
    with pytest.raises(ValueError, match="second must be a later mark"):
        snapshot.between(2, 1)
    with pytest.raises(ValueError, match="cumulative"):
        snapshot.statistics("generation", cumulative=True)


def test_survived_new_and_dead_are_the_models(tmp_path: Path) -> None:
    """Between any two marked snapshots, by place and as a whole; from files as well."""
    choose = random.Random(11)
    alive: dict[int, tuple[int, int]] = {}  # address: line, size
    next_address = iter(range(1, 1 << 30))
    lines = [compile("\n" * number + "track(domain, address, size)", "<places>", "exec") for number in range(5)]

    def step() -> None:
        for _ in range(choose.randrange(1, 400)):
            if alive and choose.random() < 0.5:
                memtrace.untrack(DOMAIN, gone := choose.choice(list(alive)))
                del alive[gone]
            else:
                line, address, size = choose.randrange(5), next(next_address), choose.randrange(1, 1000)
                exec(lines[line], {"track": memtrace.track, "domain": DOMAIN, "address": address, "size": size})
                alive[address] = line + 1, size

    taken: list[tuple[memtrace.Snapshot, dict[int, tuple[int, int]]]] = []
    for _ in range(12):
        step()
        snapshot = memtrace.take_snapshot(mark=True).filter_traces([memtrace.DomainFilter(True, DOMAIN)])
        assert snapshot.mark is not None
        taken.append((snapshot, dict(alive)))
        if choose.random() < 0.5:
            step()
            memtrace.mark()  # of no consequence
    for number, (new, now) in enumerate(taken):
        for old, before in taken[: number + 1]:
            check_survivors(new, now, old, before)
    files = []
    for number in 3, 7:
        snapshot, model = taken[number]
        snapshot.dump(path := tmp_path / str(number))
        files.append((memtrace.Snapshot.load(path), model))
    check_survivors(*files[1], *files[0])
    check_survivors(*taken[9], *files[0])


def check_survivors(
    new: memtrace.Snapshot,
    now: dict[int, tuple[int, int]],
    old: memtrace.Snapshot,
    before: dict[int, tuple[int, int]],
) -> None:
    def sums(model: dict[int, tuple[int, int]], addresses: set[int]) -> dict[int, tuple[int, int]]:
        found = Counter[int](), Counter[int]()
        for address in addresses:
            line, size = model[address]
            found[0][line] += size
            found[1][line] += 1
        return {line: (found[0][line], found[1][line]) for line in found[1]}

    survived, added, dead = now.keys() & before.keys(), now.keys() - before.keys(), before.keys() - now.keys()
    shown: tuple[dict[int, tuple[int, int]], ...] = ({}, {}, {})
    for diff in new.compare_to(old, "lineno"):
        parts = (
            (diff.survived_size, diff.survived_count),
            (diff.new_size, diff.new_count),
            (diff.dead_size, diff.dead_count),
        )
        for part, (size, count) in zip(shown, parts, strict=True):
            assert size is not None
            assert count is not None
            assert (size == 0) == (count == 0)
            if count:
                part[diff.traceback[0].lineno] = size, count
    assert shown == (sums(now, survived), sums(now, added), sums(before, dead))


def test_what_survived_is_not_known_without_a_mark_or_over_eras(tmp_path: Path) -> None:
    memtrace.track(DOMAIN, 1, 10)
    unmarked = memtrace.take_snapshot()
    marked = memtrace.take_snapshot(mark=True)
    assert unmarked.mark is None
    assert memtrace.take_snapshot().compare_to(unmarked, "filename")[0].survived_size is None
    known = memtrace.take_snapshot().compare_to(marked, "domain")
    assert {str(diff.key): diff.survived_size for diff in known}[str(DOMAIN)] == 10
    copied = pickle.loads(pickle.dumps(known))
    assert [diff.survived_count for diff in copied] == [diff.survived_count for diff in known]
    memtrace.clear_traces()
    later = memtrace.take_snapshot()
    (diff,) = (diff for diff in later.compare_to(marked, "domain") if diff.key == str(DOMAIN))
    assert (diff.new_size, diff.dead_size, diff.survived_count, diff.new_count, diff.dead_count) == (None,) * 5
    made = memtrace.StatisticDiff(diff.traceback, 1, 2, 3, 4)
    assert made.new_size is None


def test_marks_of_snapshots() -> None:
    before = memtrace.mark()
    snapshot = memtrace.take_snapshot(mark="half way")
    assert snapshot.mark == before + 1
    assert snapshot.mark.name == "half way"
    memtrace.track(DOMAIN, 5, 50)
    assert by_generation(memtrace.take_snapshot()) == {"half way": 50}
    assert reported(memtrace.take_snapshot().since(snapshot.mark)) == 50
    with pytest.raises(TypeError, match="mark must be a bool or a name, not int"):
        memtrace.take_snapshot(mark=1)  # type: ignore[arg-type]
    assert memtrace.mark() == before + 2
