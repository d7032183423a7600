"""The view of a running program, driven without a terminal."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from textual.pilot import Pilot
from textual.widgets import Sparkline, Static

import memtrace
from memtrace.interactive.program import Program
from memtrace.interactive.top import TopApp
from memtrace.interactive.watch import Watch
from memtrace.reports.selection import Selection

if TYPE_CHECKING:
    from conftest import Programs

# On one version: test_screens.py drives both applications on every one.
pytestmark = pytest.mark.once

Steps = Callable[[TopApp, Pilot[None]], Awaitable[None]]


def write(path: Path, *sizes: int) -> None:
    traces = [(0, size, ((f"file{number}.py", 1),), 1) for number, size in enumerate(sizes)]
    memtrace.Snapshot(traces, 25).dump(path)


def drive(steps: Steps, path: Path, program: Program | None = None) -> None:
    async def run() -> None:
        app = TopApp(Watch(path, Selection()), program, Selection(), 0.02)
        async with app.run_test(size=(80, 24)) as pilot:
            await steps(app, pilot)

    asyncio.run(run())


def title(app: TopApp) -> str:
    return str(app.query_one("#title", Static).content)


async def until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.01)


def test_a_file_that_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.mtrace"
    write(path, 1000, 10)

    async def steps(app: TopApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "1010 B (0 B) in 2 blocks" in title(app))
        write(path, 1000, 500)
        await until(pilot, lambda: "1500 B (+490 B)" in title(app))
        assert str(app.table.get_row_at(0)[0]) == "+490 B" and app.table.cursor_row == 0
        assert list(app.query_one(Sparkline).data or ()) == [1010.0, 1500.0]
        await pilot.press("z")
        assert "(0 B)" in title(app)
        await pilot.press("p")
        assert "paused" in title(app)
        await pilot.press("down")
        write(path, 1000, 2000)
        await pilot.pause(0.2)
        assert "1500 B" in title(app)
        await pilot.press("p")
        await until(pilot, lambda: "3000 B (+1500 B)" in title(app))
        assert app.table.entry is not None and app.table.entry.label == "file1.py:1"
        assert app.table.cursor_row == 0  # was the second
        await pilot.press("slash", *"file1")
        assert app.table.row_count == 1

    drive(steps, path)


def test_a_file_that_is_damaged_or_gone(tmp_path: Path) -> None:
    path = tmp_path / "a.mtrace"
    write(path, 1000)
    data = path.read_bytes()

    async def steps(app: TopApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "1000 B" in title(app))
        path.write_bytes(data[: len(data) // 2])
        await until(pilot, lambda: "is truncated" in title(app) or "damaged" in title(app) or "snapshot" in title(app))
        assert "1000 B" in title(app) and app.table.row_count == 1
        path.unlink()
        await until(pilot, lambda: "No such file" in title(app))
        write(path, 3000)
        await until(pilot, lambda: "3000 B" in title(app))

    drive(steps, path)


def test_a_trace_that_begins_anew_is_compared_with_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.mtrace"
    watch = Watch(path, Selection())
    for turn in range(2):
        memtrace.start()
        try:
            for _ in range(2):
                memtrace.take_snapshot(blocks=False).dump(path)
                os.utime(path, ns=(0, time.monotonic_ns()))
                first = watch.first
                assert watch.look() and not watch.look()
        finally:
            memtrace.stop()
        assert watch.first is first, turn


PROGRAM = """
import sys, time
kept = bytearray(5_000_000)
print("\\x1b[31mto the output", sys.argv[1:], repr(sys.stdin.read()), flush=True)
print("to the errors", file=sys.stderr, flush=True)
while {forever}: time.sleep(0.01)
sys.exit(5)
"""


def start(programs: Programs, forever: bool) -> Program:
    path = programs.write("program.py", PROGRAM.format(forever=forever))
    return Program("program.py", ("-X", "memtrace=25"), (str(path), "--port", "80"), 0.02)


def test_a_program_that_ends(programs: Programs) -> None:
    with start(programs, forever=False) as program:

        async def steps(app: TopApp, pilot: Pilot[None]) -> None:
            await until(pilot, lambda: "ended with status 5" in title(app) and "4883 KiB" in cells(app))
            shown = str(app.query_one("#output", Static).content)
            assert r"\x1b[31mto the output ['--port', '80'] ''" in shown and "to the errors" in shown

        drive(steps, program.snapshot, program)
        assert program.status == 5
        folder = program.output.parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


def cells(app: TopApp) -> list[str]:
    return [str(cell) for number in range(app.table.row_count) for cell in app.table.get_row_at(number)]


def test_a_program_that_is_left(programs: Programs) -> None:
    with start(programs, forever=True) as program:

        async def steps(app: TopApp, pilot: Pilot[None]) -> None:
            await until(pilot, lambda: "4883 KiB" in cells(app))
            assert "running" in title(app)
            await pilot.press("q")

        drive(steps, program.snapshot, program)
        assert program.status is None
    assert program.status == -15


def test_what_is_refused(invoke: Callable[..., Result], tmp_path: Path) -> None:
    path = tmp_path / "a.mtrace"
    write(path, 1)
    (tmp_path / "wrong").write_bytes(b"wrong")
    for words, status, message in (
        (("12345678",), 2, "'12345678' does not exist. A running process is shown when it calls memtrace.serve(FILE)."),
        ((tmp_path,), 2, "is no file."),
        (("x" * 5000,), 2, "does not exist"),
        ((tmp_path / "wrong",), 1, "wrong: "),
        ((path,), 2, "this needs a terminal."),
        ((path, "argument"), 2, "a FILE has no arguments: --run starts a program."),
        (("--run", tmp_path / "missing.py"), 2, "there is no file"),
        (("--run", "--sample-interval", "x", path), 2, "sample_interval"),
        (("--interval", 0, path), 2, "is not in the range"),
        ((), 2, "Missing argument"),
    ):
        result = invoke("top", *words)
        assert (result.exit_code, message in result.output) == (status, True), result.output


@pytest.mark.parametrize("name", ["\x1b[31mred", "[bold]x", "[/]", "a\nb"])
def test_names_are_text(tmp_path: Path, name: str) -> None:
    path = tmp_path / (name.replace("/", "") + ".mtrace")
    memtrace.Snapshot([(0, 10, ((name, 1),), 1)], 25).dump(path)

    async def steps(app: TopApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: app.table.row_count == 1)
        everything = "".join(strip.text for strip in app.screen._compositor.render_strips())
        assert everything.isprintable()

    drive(steps, path)
