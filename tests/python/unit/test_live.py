"""Snapshots of the running tracer: what they show of a frame, and that they do not change."""

from __future__ import annotations

import os
import pickle
import sys
import threading
from pathlib import Path
from types import CodeType

import pytest

import memtrace

HERE = __file__


pytestmark = pytest.mark.usefixtures("traced")


class Maker:
    def make(self, size: int) -> bytearray:
        return bytearray(
            size,
        )


def storage_of(made: bytearray) -> int:
    """The bytes of its second block."""
    return sys.getsizeof(made) - sys.getsizeof(bytearray())


def own(snapshot: memtrace.Snapshot) -> memtrace.Snapshot:
    return snapshot.filter_traces([memtrace.Filter(True, HERE)])


def make_code() -> CodeType:
    return Maker.make.__code__


def test_a_frame_knows_its_function_and_columns() -> None:
    kept = Maker().make(12345)
    code, first = make_code(), make_code().co_firstlineno
    traceback = memtrace.get_object_traceback(kept)
    assert traceback is not None
    for source in (
        traceback,
        *(trace.traceback for trace in memtrace.take_snapshot().traces if trace.size == storage_of(kept)),
    ):
        frame = source[-1]
        assert (frame.filename, frame.function) == (code.co_filename, "Maker.make")
        assert (frame.lineno, frame.end_lineno) == (first + 1, first + 3)
        assert (frame.colno, frame.end_colno) == (15, 9)
        assert source[-2].function == "test_a_frame_knows_its_function_and_columns"
        again = pickle.loads(pickle.dumps(source))
        assert (again[-1].function, again[-1].end_colno, again[-2].function) == (
            "Maker.make",
            9,
            source[-2].function,
        )
        assert source[-1:][0].function == "Maker.make"


def test_details_take_no_part_in_comparisons() -> None:
    kept = Maker().make(5)
    frame = memtrace.get_object_traceback(kept)[-1]  # type: ignore[index]
    plain = memtrace.Frame((frame.filename, frame.lineno))
    assert plain.function is plain.colno is plain.end_lineno is plain.end_colno is None
    assert (frame, hash(frame), repr(frame), str(frame)) == (plain, hash(plain), repr(plain), str(plain))
    assert not frame < plain
    assert frame <= plain


def test_two_expressions_of_a_line_are_one_group() -> None:
    kept = bytearray(1000), bytearray(2000)  # fmt: skip
    snapshot = own(memtrace.take_snapshot())
    line = sys._getframe().f_lineno - 2
    groups = [group for group in snapshot.statistics("lineno") if group.traceback[0].lineno == line]
    assert len(groups) == 1
    assert groups[0].size >= 3000
    assert groups[0].count >= 4
    assert kept


def test_functions_and_modules_have_the_names_of_the_program() -> None:
    kept = Maker().make(12345)
    snapshot = own(memtrace.take_snapshot())
    functions = {group.key: group for group in snapshot.statistics("function")}
    modules = {group.key: group for group in snapshot.statistics("module")}
    assert functions[f"{__name__}.Maker.make"].size >= 12345
    assert modules[__name__].size >= 12345
    assert functions[f"{__name__}.Maker.make"].traceback[0].function == "Maker.make"
    loaded = pickle.loads(pickle.dumps(snapshot))
    assert loaded.statistics("module") == snapshot.statistics("module")
    assert kept


def test_names_survive_a_file(tmp_path: Path) -> None:
    kept = Maker().make(12345)
    snapshot = own(memtrace.take_snapshot())
    snapshot.dump(tmp_path / "snapshot")
    loaded = memtrace.Snapshot.load(tmp_path / "snapshot")
    assert __name__ in {group.key for group in loaded.statistics("module")}
    frame = next(trace for trace in loaded.traces if trace.size == storage_of(kept)).traceback[-1]
    assert (frame.function, frame.colno) == ("Maker.make", 15)
    assert loaded.traces == snapshot.traces
    assert kept


def view(snapshot: memtrace.Snapshot) -> tuple[object, ...]:
    # Not the modules: importing one in between changes their names.
    groups = [[repr(group) for group in snapshot.statistics(key)] for key in ("filename", "lineno", "traceback")]
    return (*groups, list(snapshot.traces), snapshot.traceback_limit)


@pytest.mark.parametrize("seen_before", [False, True])
def test_a_snapshot_never_changes(seen_before: bool) -> None:
    kept = [Maker().make(size) for size in range(1000)]
    first, second = memtrace.take_snapshot(), memtrace.take_snapshot()
    expected = [trace.size for trace in own(second).traces if trace.traceback[-1].function == "Maker.make"]
    if seen_before:
        before = view(first)
    del kept[::2]
    memtrace.clear_traces()
    more = [bytes(50) for _ in range(5000)]
    memtrace.stop()
    memtrace.start(3)
    more.append(bytes(5000))
    memtrace.stop()
    after = view(first)
    if seen_before:
        assert after == before
    sizes = [trace.size for trace in own(first).traces if trace.traceback[-1].function == "Maker.make"]
    assert sizes == expected
    assert len(sizes) >= 1000


def test_a_snapshot_in_a_forked_child() -> None:
    kept = [Maker().make(size) for size in range(100)]
    snapshot = memtrace.take_snapshot()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, str(sum(trace.size for trace in snapshot.traces)).encode())
        finally:
            os._exit(0)  # whatever happens: it must not go on with the tests
    os.close(writer)
    os.waitpid(child, 0)
    assert int(os.read(reader, 100)) == sum(trace.size for trace in snapshot.traces)
    os.close(reader)
    assert kept


def test_without_blocks() -> None:
    kept = Maker().make(12345)
    small, whole = memtrace.take_snapshot(blocks=False), memtrace.take_snapshot(blocks=True)
    for snapshot in (small, own(small), pickle.loads(pickle.dumps(small))):
        with pytest.raises(ValueError, match=r"^the snapshot was taken with blocks=False: it has no traces$"):
            _ = snapshot.traces
    ours = [group for group in own(small).statistics("traceback") if group.size >= 12345]
    assert [str(group) for group in ours] == [
        str(group) for group in own(whole).statistics("traceback") if group.size >= 12345
    ]
    assert own(small).compare_to(own(whole), "function") is not None
    assert kept


def test_without_blocks_a_filter_of_ones_own_has_nothing_to_look_at() -> None:
    class Any(memtrace.BaseFilter):
        def _match(self, trace: object) -> bool:
            return True

    with pytest.raises(ValueError, match="blocks=False"):
        memtrace.take_snapshot(blocks=False).filter_traces([Any(True)])


def test_the_traces_add_up() -> None:
    kept = [Maker().make(size) for size in range(1000)]
    snapshot = memtrace.take_snapshot()
    total = sum(trace.size for trace in snapshot.traces)
    for key in ("filename", "lineno", "traceback", "function", "module"):
        assert sum(group.size for group in snapshot.statistics(key)) == total
        assert sum(group.count for group in snapshot.statistics(key)) == len(snapshot.traces)
    assert kept


def test_a_trace_of_the_tracer_is_in_its_own_traces() -> None:
    snapshot = memtrace.take_snapshot()
    for at in (0, len(snapshot.traces) // 2, -1):
        assert snapshot.traces[at] in snapshot.traces
    raw = memtrace._get_traces()
    assert {type(trace) for trace in raw} == {tuple}
    assert {len(trace) for trace in raw} == {4}


def test_several_threads_look_at_one_snapshot_first() -> None:
    kept = [Maker().make(size) for size in range(3000)]
    snapshot = memtrace.take_snapshot()
    start = threading.Barrier(6)
    seen: list[object] = []

    def look(key: str) -> None:
        start.wait()
        seen.append((key, [repr(group) for group in snapshot.statistics(key)]))

    threads = [threading.Thread(target=look, args=(key,)) for key in ("lineno", "traceback", "filename") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for key in ("lineno", "traceback", "filename"):
        mine = [groups for seen_key, groups in seen if seen_key == key]  # type: ignore[misc]
        assert len(mine) == 2
        assert mine[0] == mine[1] == [repr(group) for group in snapshot.statistics(key)]
    assert kept


def test_a_statistic_keeps_working_after_stop() -> None:
    kept = Maker().make(12345)
    groups = own(memtrace.take_snapshot()).statistics("traceback")
    memtrace.stop()
    assert any(frame.function == "Maker.make" for group in groups for frame in group.traceback)
    assert kept


def test_the_memory_is_named_twice() -> None:
    assert memtrace.get_memtrace_memory() == pytest.approx(memtrace.get_tracemalloc_memory(), rel=0.1)
    assert memtrace.get_memtrace_memory() > 0


def test_dropped_is_a_number() -> None:
    assert memtrace.take_snapshot().dropped == 0
    assert memtrace.Snapshot([], 1).dropped == 0
