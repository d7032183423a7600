"""The application that looks around in snapshots, driven without a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import Result
from textual.pilot import Pilot
from textual.widgets import Input, Static

import memtrace
from memtrace.interactive.browse import BrowseApp, Opened
from memtrace.interactive.calltree import CallTree
from memtrace.interactive.dialogs import Choice, Help
from memtrace.interactive.entries import entries
from memtrace.interactive.listing import Listing
from memtrace.reports.selection import GROUP_KEYS, Selection

if TYPE_CHECKING:
    from conftest import Recorded

# On one version: test_screens.py drives both applications on every one.
pytestmark = pytest.mark.once

Steps = Callable[[BrowseApp, Pilot[None]], Awaitable[None]]
SIZES = [(80, 24), (200, 50)]


def opened(snapshot: memtrace.Snapshot, name: str = "a.mtrace") -> Opened:
    return Opened(name, None, snapshot, Selection().apply(snapshot))


def drive(
    steps: Steps, new: Opened, old: Opened | None = None, size: tuple[int, int] = (80, 24), group_by: str = "lineno"
) -> None:
    async def run() -> None:
        app = BrowseApp(new, old, Selection(group_by))
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(run())


def title(app: BrowseApp) -> str:
    return str(app.query_one("#title", Static).content)


def labels(app: BrowseApp) -> list[str]:
    table = app.table
    return [str(table.get_row_at(number)[-1]) for number in range(table.row_count)]


def cells(app: BrowseApp, column: int) -> list[str]:
    table = app.table
    return [str(table.get_row_at(number)[column]) for number in range(table.row_count)]


def sized(*sizes: tuple[str, int]) -> memtrace.Snapshot:
    return memtrace.Snapshot([(0, size, ((name, 1), ("main.py", 9)), 2) for name, size in sizes], 25)


@pytest.mark.parametrize("size", SIZES)
def test_the_table_has_the_statistics(recorded: Recorded, size: tuple[int, int]) -> None:
    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        statistics = recorded.snapshot.statistics("lineno")
        assert app.table.row_count == len(statistics)
        assert "a.mtrace: " in title(app) and "by lineno" in title(app)
        row = labels(app)[0]
        assert str(statistics[0].traceback).endswith(row.lstrip("\N{HORIZONTAL ELLIPSIS}"))
        assert app.table.virtual_size.width <= size[0]
        await pilot.press("end")
        assert app.table.cursor_row == len(statistics) - 1

    drive(steps, opened(recorded.snapshot), size=size)


@pytest.mark.parametrize("group_by", [key for key in GROUP_KEYS if key != "type"])
def test_each_key_groups(recorded: Recorded, group_by: str) -> None:
    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        await pilot.press("g")
        assert isinstance(app.screen, Choice)
        for _ in range((GROUP_KEYS.index(group_by) - GROUP_KEYS.index("function")) % len(GROUP_KEYS)):
            await pilot.press("down")
        await pilot.press("enter")
        await pilot.pause()
        assert app.group_by == group_by
        assert f"by {group_by}" in title(app)
        assert app.table.row_count == len(recorded.snapshot.statistics(group_by))

    drive(steps, opened(recorded.snapshot), group_by="function")


def test_a_key_that_the_snapshot_lacks_is_said(recorded: Recorded) -> None:
    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        app.regroup("type", False)
        await pilot.pause()
        assert app.group_by == "lineno"
        assert [note.message for note in app._notifications] and app.table.row_count > 1

    drive(steps, opened(recorded.snapshot))


def test_sorting() -> None:
    snapshot = sized(("b.py", 300), ("a.py", 100), ("a.py", 101), ("c.py", 200))

    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        assert labels(app) == ["b.py:1", "a.py:1", "c.py:1"]
        await pilot.press("r")
        assert labels(app) == ["c.py:1", "a.py:1", "b.py:1"]
        await pilot.press("o", "o")
        assert labels(app)[0] == "a.py:1"  # by blocks
        await pilot.press("o", "o")
        assert labels(app) == ["a.py:1", "b.py:1", "c.py:1"]  # by name
        await pilot.press("r")
        assert labels(app) == ["c.py:1", "b.py:1", "a.py:1"]
        await pilot.click("#table", offset=(3, 0))
        assert labels(app) == ["b.py:1", "a.py:1", "c.py:1"]  # by size again

    drive(steps, opened(snapshot))


def test_filtering_while_typing() -> None:
    snapshot = sized(("alpha.py", 300), ("Beta.py", 200), ("gamma.py", 100))

    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        await pilot.press("down", "slash", "b")
        assert labels(app) == ["Beta.py:1"]
        assert "1 match 'b'" in title(app)
        assert app.table.entry is not None and app.table.entry.label == "Beta.py:1"
        await pilot.press("q", "q")
        assert labels(app) == [] and app.query_one(Input).value == "bqq"
        await pilot.press("escape")
        assert len(labels(app)) == 3 and app.focused is app.table
        await pilot.press("slash", "m", "enter")
        assert labels(app) == ["gamma.py:1"] and app.focused is app.table

    drive(steps, opened(snapshot))


def test_only_so_many_rows_are_shown_but_all_are_found() -> None:
    snapshot = sized(*((f"module{number}.py", 10_000 - number) for number in range(3000)))

    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        assert app.table.row_count == 1000
        await pilot.press("slash", *"e2999")
        assert labels(app) == ["module2999.py:1"]

    drive(steps, opened(snapshot))


def test_source_of_the_selected_line(recorded: Recorded) -> None:
    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        frame = app.table.entry.frame if app.table.entry else None
        assert frame is not None and frame.filename == str(recorded.source)
        await pilot.press("enter")
        await pilot.pause()
        listing = app.query_one(Listing)
        assert app.view == "source" and app.focused is listing
        assert all(line in listing.text for line in recorded.source.read_text().splitlines())
        assert f" {frame.lineno}  " in listing._lines[listing._selected].margin
        await pilot.press("escape")
        assert app.view == "table" and app.focused is app.table

    drive(steps, opened(recorded.snapshot))


def test_a_far_line_comes_into_view(tmp_path: Path) -> None:
    source = tmp_path / "long.py"
    source.write_text("".join(f"line {number}\n" for number in range(1, 10_001)))
    snapshot = memtrace.Snapshot([(0, 10, ((str(source), 9000),), 1)], 25)

    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        await pilot.press("s")
        await pilot.pause()
        listing = app.query_one(Listing)
        assert listing._selected - listing.size.height < listing.scroll_offset.y < listing._selected
        assert "line 9000" in listing.render_line(listing._selected - listing.scroll_offset.y).text
        assert listing.render_line(0).text.split() == ["Live", "Blocks", "Line"]
        await pilot.press("home")
        await pilot.pause()
        assert str(source) in listing.render_line(0).text and listing.render_line(2).text.split()[-2:] == ["line", "1"]

    drive(steps, opened(snapshot))


def test_the_tree_has_the_sums(recorded: Recorded) -> None:
    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        await pilot.press("c")
        await app.workers.wait_for_complete()
        await pilot.pause()
        tree = app.query_one(CallTree)
        root = tree.root.data
        assert root is not None
        assert root.size == sum(trace.size for trace in recorded.snapshot.traces)
        tops = [branch.data for branch in tree.root.children if branch.data is not None]
        assert sum(top.size for top in tops) + root.own_size == root.size
        await pilot.press("down", "space")
        await pilot.pause()
        opened_branch = tree.root.children[0]
        assert opened_branch.is_expanded and opened_branch.children
        await pilot.press("i")
        await app.workers.wait_for_complete()
        await pilot.pause()
        inverted = tree.root.children[0].data
        assert inverted is not None and inverted.frame == recorded.snapshot.statistics("lineno")[0].traceback[-1]
        assert "from the innermost up" in title(app)
        await pilot.press("down", "s")
        assert app.view == "source" and str(recorded.source) in app.query_one(Listing).text

    drive(steps, opened(recorded.snapshot))


def test_a_chain_of_calls_opens_at_once() -> None:
    deep = tuple(("deep.py", number) for number in range(3000, 0, -1))
    snapshot = memtrace.Snapshot([(0, 10, deep, 3000), (0, 10, (("leaf.py", 1), *deep[1:]), 3000)], 65535)

    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        await pilot.press("c")
        await app.workers.wait_for_complete()
        await pilot.pause()
        tree = app.query_one(CallTree)
        assert tree.last_line == 50
        for _ in range(10):
            tree.get_node_at_line(tree.last_line).expand()  # type: ignore[union-attr]
            await pilot.pause()
        assert tree.last_line == 300

    drive(steps, opened(snapshot))


@pytest.mark.parametrize("size", SIZES)
def test_differences(size: tuple[int, int]) -> None:
    old, new = sized(("same.py", 100), ("less.py", 500)), sized(("same.py", 100), ("more.py", 900))

    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        assert labels(app) == ["more.py:1", "less.py:1", "same.py:1"]
        assert cells(app, 0) == ["+900 B", "-500 B", "0 B"]
        assert "old.mtrace to new.mtrace: +400 B, now 1000 B in 2 blocks" in title(app)
        await pilot.press("u")
        assert "with callees" in title(app) and "main.py:9" in labels(app)

    drive(steps, opened(new, "new.mtrace"), opened(old, "old.mtrace"), size)


@pytest.mark.parametrize("size", [(40, 12), (20, 6), (10, 4)])
def test_narrow_terminals(recorded: Recorded, size: tuple[int, int]) -> None:
    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        for key in ("s", "c", "i", "t", "g", "escape", "question_mark", "escape", "slash", "x", "escape"):
            await pilot.press(key)
            await pilot.pause()
        await app.workers.wait_for_complete()
        assert app.view == "table" and app.table.row_count > 5
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "program.py:12" in labels(app)[0]

    drive(steps, opened(recorded.snapshot), size=size)


def test_help_and_leaving(recorded: Recorded) -> None:
    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        await pilot.press("escape", "g", "escape")
        assert not isinstance(app.screen, Help | Choice)
        await pilot.press("q")
        assert app._exit

    drive(steps, opened(recorded.snapshot))


HOSTILE = [
    "\x1b[31mred\x07",
    "[bold]x[/bold]",
    "[/nothing]",
    "[@click=app.quit]q[/]",
    "line\nbreak",
    "\udcff",
    "x" * 100_000,
    "漢" * 500,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text(name: str, tmp_path: Path) -> None:
    source = tmp_path / "[bold]\x1b.py"
    source.write_bytes(b"x = '[red]\x1b[31m\xff[/]'\n")
    snapshot = memtrace.Snapshot([(0, 10, ((name, 1), (name, 2)), 2), (0, 9, ((str(source), 1),), 1)], 25)

    async def steps(app: BrowseApp, pilot: Pilot[None]) -> None:
        for key in (*"/x", "escape", "down", "enter", "escape", "c"):
            await pilot.press("slash" if key == "/" else key)
            await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.press("down", "space", "s")
        await pilot.pause()
        assert app.is_running and app.view == "source"
        everything = "".join(strip.text for strip in app.screen._compositor.render_strips())
        assert everything.isprintable()

    drive(steps, opened(snapshot, name[:200]))


def test_numbers_are_those_of_statistics(recorded: Recorded) -> None:
    for group_by in ("filename", "lineno", "function", "traceback"):
        rows = entries(recorded.snapshot, None, group_by, False)
        expected = recorded.snapshot.statistics(group_by)
        assert [(row.numbers[0], row.numbers[2]) for row in rows.rows] == [(each.size, each.count) for each in expected]
        assert rows.size == sum(trace.size for trace in recorded.snapshot.traces)


def test_it_needs_a_terminal(invoke: Callable[..., Result], recorded: Recorded) -> None:
    result = invoke("browse", recorded.path)
    assert result.exit_code == 2 and "this needs a terminal." in result.output
    assert invoke("browse", recorded.path.parent / "missing").exit_code == 2
