"""The peak, of everything and of regions: what the properties say when, and what is an error."""

from __future__ import annotations

import asyncio
import threading

import pytest

import memtrace

HERE = __file__
MIB = 1 << 20


pytestmark = pytest.mark.usefixtures("traced")


def own_bytes(snapshot: memtrace.Snapshot) -> int:
    """Those of this file, less what is not the programs'."""
    statistics = snapshot.filter_traces([memtrace.Filter(True, HERE, all_frames=True)]).statistics("lineno")
    return sum(statistic.size for statistic in statistics if statistic.size >= MIB) // MIB


def rise_to(mebibytes: int) -> None:
    made = bytearray(mebibytes * MIB)
    del made


def test_the_peak_of_everything() -> None:
    kept = bytearray(2 * MIB)
    rise_to(3)
    assert own_bytes(memtrace.take_peak_snapshot()) == 5
    memtrace.reset_peak()
    assert own_bytes(memtrace.take_peak_snapshot()) == 2
    del kept
    assert own_bytes(memtrace.take_peak_snapshot()) == 2


def test_a_region_sees_what_is_inside() -> None:
    kept = bytearray(MIB)
    rise_to(30)
    with memtrace.peak() as region:
        rise_to(10)
        assert own_bytes(region.snapshot) == 11
        assert own_bytes(memtrace.take_peak_snapshot()) == 31
        inner = bytearray(2 * MIB)
        assert region.peak // MIB == 11
        assert region.current // MIB == 3
    current, peak = region.current, region.peak
    rise_to(20)
    del kept, inner
    assert (region.current, region.peak) == (current, peak)
    assert (current // MIB, peak // MIB) == (3, 11)
    assert own_bytes(region.snapshot) == 11
    assert region.snapshot is region.snapshot
    assert "closed" in repr(region)


def test_nested_regions_have_peaks_of_their_own() -> None:
    with memtrace.peak() as outer:
        rise_to(8)
        with memtrace.peak() as first:
            rise_to(4)
        with memtrace.peak() as second:
            rise_to(16)
        rise_to(2)
    assert [own_bytes(region.snapshot) for region in (outer, first, second)] == [16, 4, 16]
    assert [region.peak // MIB for region in (outer, first, second)] == [16, 4, 16]


def test_the_snapshot_of_a_peak_has_no_traces() -> None:
    with pytest.raises(ValueError, match="no traces"):
        len(memtrace.take_peak_snapshot().traces)


def test_not_tracing() -> None:
    memtrace.stop()
    with pytest.raises(RuntimeError, match="must be tracing"):
        memtrace.take_peak_snapshot()
    with pytest.raises(RuntimeError, match="must be tracing"), memtrace.peak():
        pass
    with pytest.raises(RuntimeError, match="not entered"):
        memtrace.peak().snapshot  # noqa: B018
    assert (memtrace.peak().current, memtrace.peak().peak) == (0, 0)


def test_entered_twice_at_once() -> None:
    with memtrace.peak() as region:
        with pytest.raises(RuntimeError, match="open already"), region:
            pass
        rise_to(3)
    assert region.peak // MIB == 3
    with region:
        rise_to(1)
    assert region.peak // MIB == 1


def test_stopped_inside() -> None:
    with memtrace.peak() as region:
        rise_to(3)
        memtrace.stop()
        assert (region.current, region.peak) == (0, 0)
    with pytest.raises(RuntimeError, match="stopped"):
        region.snapshot  # noqa: B018


def test_cleared_and_started_again_inside() -> None:
    with memtrace.peak() as region:
        rise_to(9)
        memtrace.clear_traces()
        rise_to(2)
        assert region.peak // MIB == 2
        assert own_bytes(region.snapshot) == 2
        memtrace.stop()
        memtrace.start(3)
        rise_to(1)
    assert region.peak // MIB == 1
    assert own_bytes(region.snapshot) == 1


def test_an_exception_goes_through() -> None:
    with pytest.raises(KeyError), memtrace.peak() as region:
        rise_to(5)
        raise KeyError
    assert region.peak // MIB == 5


def test_left_without_the_end_of_its_block() -> None:
    region = memtrace.peak()
    region.__enter__()
    del region
    rise_to(2)
    assert own_bytes(memtrace.take_peak_snapshot()) == 2


def test_as_a_decorator() -> None:
    region = memtrace.peak()

    @region
    def rise(depth: int, mebibytes: int) -> str:
        """Rises."""
        if depth:
            return rise(depth - 1, mebibytes)
        rise_to(mebibytes)
        return "done"

    assert rise(3, 6) == "done"
    assert (rise.__name__, rise.__doc__) == ("rise", "Rises.")
    assert region.peak // MIB == 6
    with pytest.raises(TypeError):
        rise()  # type: ignore[call-arg]
    assert region.peak // MIB == 0


def test_as_a_decorator_of_a_coroutine_function() -> None:
    region = memtrace.peak()

    @region
    async def rise(mebibytes: int) -> int:
        await asyncio.sleep(0)
        rise_to(mebibytes)
        return mebibytes

    assert asyncio.run(rise(7)) == 7
    assert region.peak // MIB == 7


def test_regions_of_several_threads() -> None:
    """Not nested: each is left in the order in which it was entered."""
    peaks = []

    def work(mebibytes: int) -> None:
        with memtrace.peak() as region:
            barrier.wait()
            lock.acquire()
            rise_to(mebibytes)
            lock.release()
            barrier.wait()
        peaks.append(region.peak // MIB)

    barrier, lock = threading.Barrier(4), threading.Lock()
    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 5, 3, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert peaks == [5] * 4


def test_without_memory() -> None:
    """Entering says so; leaving never raises."""
    with pytest.raises(MemoryError):
        memtrace._core._fail_allocations(0, True)
        try:
            memtrace.peak().__enter__()
        finally:
            memtrace._core._allow_allocations()
    with memtrace.peak() as region:
        rise_to(2)
    assert region.peak // MIB == 2
