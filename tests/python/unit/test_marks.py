"""Marks and generations: what was allocated when, and is still alive."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import memtrace

DOMAIN = 78


@pytest.fixture(autouse=True)
def traced() -> Iterator[None]:
    memtrace.stop()
    memtrace.start(5)
    yield
    memtrace.stop()


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
