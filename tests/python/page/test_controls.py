"""Every control of the page does what it says, in a browser."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from waiting import search, wait_until

import memtrace
from memtrace.reports import text
from memtrace.reports.selection import Selection

if TYPE_CHECKING:
    from playwright.sync_api import Page as BrowserPage

    from conftest import Open

pytestmark = pytest.mark.once

ROW = 20


def summary(page: BrowserPage) -> str:
    return page.inner_text("#summary")


def click_box(page: BrowserPage, depth: int, share: float = 0.1) -> None:
    """Click what the flame graph shows in a row of an icicle, so far from the left."""
    width = page.locator("#flame").bounding_box()["width"]  # type: ignore[index]
    page.locator("#flame").click(position={"x": width * share, "y": depth * ROW + ROW / 2})


def breadcrumbs(page: BrowserPage) -> list[str]:
    return [item.inner_text() for item in page.locator("#breadcrumbs li").all()]


def rows(page: BrowserPage, table: str = "#table") -> list[list[str]]:
    found = page.locator(f"{table} tbody tr:not(.gap)").all()
    return [[cell.inner_text() for cell in row.locator("td").all()] for row in found]


def totals(statistics: list[memtrace.Statistic]) -> str:
    size, count = sum(each.size for each in statistics), sum(each.count for each in statistics)
    return f"{text.size(size)} in {text.blocks(count)}"


@pytest.fixture(scope="module")
def snapshot(shop: Path) -> memtrace.Snapshot:
    return memtrace.Snapshot.load(shop / "new.mtrace")


@pytest.fixture
def page(open_page: Open, report: Path) -> BrowserPage:
    return open_page(report)


def test_what_is_shown_has_the_totals_of_the_snapshot(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    assert summary(page) == totals(Selection().apply(snapshot).statistics("filename"))
    page.select_option("#show", "peak")
    assert summary(page) == totals(Selection().apply(snapshot.peak).statistics("filename"))
    page.select_option("#show", "churn")
    churn = Selection().apply(snapshot).churn("filename")
    size, count = sum(each.allocated_size for each in churn), sum(each.allocated_count for each in churn)
    assert summary(page) == f"{text.size(size)} in {text.blocks(count)}"
    assert "show=churn" in page.url


def test_bytes_or_blocks(page: BrowserPage) -> None:
    click_box(page, 1)
    page.select_option("#metric", "count")
    assert "metric=count" in page.url
    search(page, "cache.py")
    assert re.fullmatch(r"\d+ frames: [\d,]+, [\d.]+%", page.inner_text("#found"))
    page.select_option("#metric", "size")
    assert re.fullmatch(r"\d+ frames: [\d.]+ [KM]iB, [\d.]+%", page.inner_text("#found"))


def test_splitting_by_thread_and_label(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    before = summary(page)
    for tag, pattern in (("thread", r"worker-[01]|MainThread"), ("label", r"GET /page/[012]|no label")):
        page.select_option("#split", tag)
        assert summary(page) == before
        click_box(page, 1)
        assert re.fullmatch(pattern, breadcrumbs(page)[1])
        assert page.inner_text("#details strong") == breadcrumbs(page)[1]
    labels = [f"GET /page/{number}" for number in range(3)]
    page.goto(page.url.partition("#")[0] + "#split=label&tab=table")
    sizes = {each.key: each.size for each in Selection().apply(snapshot).statistics("label")}
    assert all(sizes[label] for label in labels)


def test_types_are_of_live_memory_alone(page: BrowserPage) -> None:
    page.select_option("#split", "type")
    click_box(page, 1)
    assert len(breadcrumbs(page)) == 2
    page.select_option("#show", "churn")
    assert page.input_value("#split") == ""
    assert page.locator("#split option[value=type]").is_disabled()


def test_inverted(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    before = summary(page)
    page.check("#inverted")
    assert summary(page) == before
    click_box(page, 1)
    assert page.inner_text("#details .path") == str(Selection().apply(snapshot).statistics("lineno")[0].traceback[0])
    page.uncheck("#inverted")
    assert "inverted" not in page.url


def test_flame_or_icicle(page: BrowserPage) -> None:
    page.select_option("#layout", "flame")
    box = page.locator("#flame").bounding_box()
    assert box is not None
    page.locator("#flame").click(position={"x": box["width"] / 3, "y": box["height"] - 1.5 * ROW})
    assert len(breadcrumbs(page)) == 2
    assert "layout=flame" in page.url


@pytest.mark.parametrize(("name", "gone"), [("library", "threading.py"), ("packages", "site-packages")])
def test_hidden_frames_leave_their_memory_with_their_callers(page: BrowserPage, name: str, gone: str) -> None:
    before = summary(page)
    search(page, gone)
    assert page.inner_text("#found") != "no frame"
    page.check(f"input[name=hide][value={name}]")
    assert page.inner_text("#found") == "no frame"
    assert summary(page) == before


def test_hidden_imports_are_left_out(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    page.check("input[name=hide][value=imports]")
    imports = memtrace.Filter(False, "<frozen importlib._bootstrap*", all_frames=True)
    rest = Selection(filters=(imports,)).apply(snapshot).statistics("filename")
    left = sum(each.size for each in Selection().apply(snapshot).statistics("filename")) - sum(e.size for e in rest)
    assert summary(page) == f"{totals(rest)}, without {text.size(left)} of imports"


def test_zoom_and_breadcrumbs(page: BrowserPage) -> None:
    click_box(page, 3)
    crumbs = breadcrumbs(page)
    assert len(crumbs) == 4
    assert crumbs[0] == "All"
    page.click("#breadcrumbs li:nth-child(2) button")
    assert breadcrumbs(page) == crumbs[:2]
    page.go_back()
    assert breadcrumbs(page) == crumbs
    click_box(page, 0)
    assert page.locator("#breadcrumbs").is_hidden()


def test_search(page: BrowserPage) -> None:
    page.fill("#search", "CACHE.render")
    wait_until(page, "document.querySelector('#found').textContent === 'no frame'")
    assert page.locator("#next").is_disabled()
    search(page, "RENDER")
    page.press("#search", "Enter")
    assert breadcrumbs(page)[-1].startswith("render (cache.py:")
    first = page.url
    page.click("#next")
    assert "render" in breadcrumbs(page)[-1]
    page.click("#previous")
    assert page.url == first
    page.press("#search", "Escape")
    assert page.input_value("#search") == ""
    assert page.inner_text("#found") == ""


def test_what_is_found_counts_each_stack_once(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    search(page, "shop/")
    stacks = Selection().apply(snapshot).statistics("traceback")
    inside = [each for each in stacks if any("shop/" in frame.filename for frame in each.traceback)]
    assert any(sum("shop/" in frame.filename for frame in each.traceback) > 1 for each in inside)
    size, whole = (sum(each.size for each in some) for some in (inside, stacks))
    assert page.inner_text("#found").endswith(f" frames: {text.size(size)}, {text.percentage(size, whole)}")


def test_a_link_shows_the_same_again(page: BrowserPage, open_page: Open, report: Path) -> None:
    page.select_option("#by", "function")
    page.select_option("#split", "thread")
    page.check("input[name=hide][value=imports]")
    click_box(page, 2)
    search(page, "render")
    page.click("#copy")
    wait_until(page, "document.querySelector('#copied').textContent === 'Copied'")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    other = open_page(report, "#" + link.partition("#")[2])
    for place in ("#summary", "#breadcrumbs", "#found", "#details"):
        assert other.inner_text(place) == page.inner_text(place)
    assert other.input_value("#search") == "render"


@pytest.mark.parametrize(
    "fragment",
    ["#", "#tab=nonsense&by=1&zoom=zz.%00.1", "#zoom=99999.1.2", "#tab=source&file=12345&line=x", "#%%%=&&;<b>"],
)
def test_fragments_that_say_nothing(open_page: Open, report: Path, fragment: str) -> None:
    page = open_page(report, fragment)
    assert summary(page)


def test_the_table_is_what_statistics_say(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    page.click("#tab-table")
    page.select_option("#by", "file")
    selected = Selection().apply(snapshot)
    own: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for each in selected.statistics("traceback"):
        own[each.traceback[-1].filename] += each.size
        for name in {frame.filename for frame in each.traceback}:  # once, however often it is there
            total[name] += each.size
    found = rows(page)
    assert len(found) > 10
    assert len({row[0] for row in found}) == len(found)
    for name, own_size, size, _, _ in found:
        assert (own_size, size) == (text.size(own[name]), text.size(total[name]))
    blocks = {each.traceback[0].filename: each.count for each in selected.statistics("filename")}
    assert {row[0]: row[3] for row in found} == {row[0]: text.count(blocks.get(row[0], 0)) for row in found}
    assert page.inner_text("#table-status") == f"{len(total)} rows"


def test_sorting(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    page.click("#tab-table")
    selected = Selection().apply(snapshot)
    largest = selected.statistics("lineno")[0]
    assert rows(page)[0][1] == str(largest.traceback[0])
    assert page.get_attribute("#table th:nth-child(3)", "aria-sort") == "descending"
    page.click("#table th:nth-child(3) button")
    assert page.get_attribute("#table th:nth-child(3)", "aria-sort") == "ascending"
    assert rows(page)[0][2] == "0 B"
    page.click("#table th:nth-child(1) button")
    names = [row[0] for row in rows(page)]
    assert names == sorted(names)
    page.click("#table th:nth-child(6) button")
    counts = [int(row[5].replace(",", "")) for row in rows(page)]
    assert counts == sorted(counts, reverse=True)


def test_filtering(page: BrowserPage) -> None:
    page.click("#tab-table")
    page.fill("#filter", "shop/ORDERS")
    wait_until(page, "document.querySelector('#table-status').textContent.includes(' of ')")
    assert {row[1].partition(":")[0] for row in rows(page)} == {"shop/orders.py"}
    assert "filter=shop" in page.url


def test_only_rows_in_sight_exist(page: BrowserPage) -> None:
    page.click("#tab-table")
    total = int(page.inner_text("#table-status").split()[0].replace(",", ""))
    assert total > 200
    assert len(rows(page)) < 60
    last = rows(page)[-1]
    page.evaluate("document.querySelector('#table-scroller').scrollTop = 1e9")
    wait_until(page, f"document.querySelector('#table tr[aria-rowindex=\"{total + 1}\"]')")
    assert rows(page)[-1] != last


def test_from_the_table_to_the_flame_graph_and_to_the_source(page: BrowserPage) -> None:
    page.click("#tab-table")
    page.fill("#filter", "render")
    wait_until(page, "document.querySelector('#table-status').textContent.includes(' of ')")
    page.locator("#table td.place button", has_text="shop/cache.py").first.click()
    assert page.locator("#panel-source").is_visible()
    assert "return" in page.inner_text("#source .chosen") or "cells" in page.inner_text("#source .chosen")
    page.click("#tab-table")
    page.locator("#table td.name button").first.click()
    assert page.locator("#panel-flame").is_visible()
    assert breadcrumbs(page)[-1].startswith("render ")


def test_the_table_is_of_what_is_zoomed_to(page: BrowserPage) -> None:
    page.select_option("#split", "thread")
    click_box(page, 1)
    thread = breadcrumbs(page)[1]
    page.click("#tab-table")
    assert page.inner_text("#table-scope") == f"within {thread}"


def test_source_with_bytes_of_each_line(page: BrowserPage, snapshot: memtrace.Snapshot) -> None:
    page.click("#tab-source")
    file = page.locator("#source-file option", has_text="shop/orders.py").get_attribute("value")
    page.select_option("#source-file", file)
    selected = Selection().apply(snapshot)
    own = {str(each.traceback[0]): each.size for each in selected.statistics("lineno")}
    cumulative = {str(each.traceback[0]): each.size for each in selected.statistics("lineno", cumulative=True)}
    lines = (Path(__file__).parent / "shop" / "orders.py").read_text().splitlines()
    shown = [row for row in rows(page, "#source") if len(row) == 4]
    assert len(shown) > 10
    for lineno, size, total, code in shown:
        place = f"shop/orders.py:{lineno}"
        assert code.strip() == lines[int(lineno) - 1].strip()
        assert size == (text.size(own[place]) if place in own else "")
        assert total == (text.size(cumulative[place]) if place in cumulative else "")


def test_the_moment_is_marked_on_the_timeline(page: BrowserPage) -> None:
    def marked() -> str:
        picture = "document.querySelector('#timeline canvas').toDataURL()"
        page.wait_for_timeout(50)  # uPlot draws in a microtask
        return str(page.evaluate(picture))

    pictures = {marked()}
    for kind in ("peak", "churn"):
        page.select_option("#show", kind)
        pictures.add(marked())
    assert len(pictures) == 3
    page.select_option("#show", "live")
    assert marked() in pictures


def test_without_a_timeline_there_is_none(open_page: Open, tmp_path: Path) -> None:
    page = open_page(written(tmp_path, memtrace.Snapshot([(0, 1, (("a.py", 1),), 1)], 1)))
    assert page.locator("#timeline-section").is_hidden()
    assert page.locator("#split").is_hidden()


def written(folder: Path, snapshot: memtrace.Snapshot) -> Path:
    from memtrace.reports.page.data import Input, Privacy, encode
    from memtrace.reports.page.document import render

    path = folder / "page.html"
    path.write_text(render(encode(Input(snapshot, "test"), None, Selection(), Privacy())), "utf-8")
    return path


def test_an_empty_snapshot(open_page: Open, tmp_path: Path) -> None:
    page = open_page(written(tmp_path, memtrace.Snapshot([], 1)))
    assert summary(page) == "0 B in 0 blocks"
    for tab in ("table", "source", "flame"):
        page.click(f"#tab-{tab}")
    assert page.locator("#no-source").count() == 1


def test_deep_stacks(open_page: Open, tmp_path: Path) -> None:
    frames = tuple(("deep.py", line) for line in range(20_000))
    page = open_page(written(tmp_path, memtrace.Snapshot([(0, 7, frames, len(frames))], 65535)))
    assert summary(page) == "7 B in 1 block"
    page.click("#tab-table")
    assert page.inner_text("#table-status") == "20,000 rows"
    page.fill("#filter", "deep.py:7")
    wait_until(page, "document.querySelector('#table-status').textContent.includes(' of ')")
    page.locator("#table td.place").first.click()
    page.evaluate("location.hash = 'zoom=' + Array.from({length: 20000}, (_, key) => key.toString(36)).join('.')")
    wait_until(page, "document.querySelector('#breadcrumbs').children.length > 2")
    assert breadcrumbs(page)[:2] == ["All", "19,960 more"]


def test_hostile_names_are_text(open_page: Open, tmp_path: Path) -> None:
    name = "</script><img src=x onerror=alert(1)><b id=injected>"
    page = open_page(written(tmp_path, memtrace.Snapshot([(0, 7, ((name, 1), (f"{name}.py", 2)), 2)], 5)))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    click_box(page, 2)
    for tab in ("table", "source", "flame"):
        page.click(f"#tab-{tab}")
        search(page, "<img")
    page.locator("#flame").hover(position={"x": 30, "y": 50})
    assert name in page.inner_text("#tooltip")
    assert page.locator("img, #injected").count() == 0


def by_line_and_function(statistics: list[memtrace.Statistic]) -> Counter[tuple[str, str | None]]:
    sizes: Counter[tuple[str, str | None]] = Counter()
    for each in statistics:
        sizes[str(each.traceback[-1]), each.traceback[-1].function] += each.size
    return sizes


def test_differences(open_page: Open, changes: Path, shop: Path) -> None:
    page = open_page(changes)
    new, old = (Selection().apply(memtrace.Snapshot.load(shop / f"{name}.mtrace")) for name in ("new", "old"))
    parts = new.compare_to(old, "filename")
    change, blocks = sum(each.size_diff for each in parts), sum(each.count_diff for each in parts)
    size, count = sum(each.size for each in parts), sum(each.count for each in parts)
    changed = f"{text.size_change(change)} in {text.count_change(blocks)} blocks"
    assert summary(page) == f"{changed}, now {text.size(size)} in {text.blocks(count)}"
    page.click("#tab-table")
    sizes = [by_line_and_function(each.statistics("traceback")) for each in (new, old)]
    for function, place, own, _, before, now, _ in rows(page):
        first, second = (size[place, function] for size in reversed(sizes))
        assert (before, now, own) == (text.size(first), text.size(second), text.size_change(second - first))
    assert page.locator("#table td.grew").count() > 0
    page.click("#table th:nth-child(3) button")
    assert page.locator("#table td.shrank").count() > 0
    page.click("#tab-source")
    assert page.locator("#source .grew, #source .shrank").count() > 0
    page.click("#tab-flame")
    page.select_option("#width", "size")
    assert "width=size" in page.url


def test_what_changed_has_the_colour_of_it(open_page: Open, tmp_path: Path) -> None:
    from memtrace.reports.page.data import Input, Privacy, encode
    from memtrace.reports.page.document import render

    def snapshot(grown: int, shrunk: int) -> Input:
        return Input(memtrace.Snapshot([(0, grown, (("a.py", 1),), 1), (0, shrunk, (("b.py", 1),), 1)], 1), "test")

    path = tmp_path / "changes.html"
    path.write_text(render(encode(snapshot(2000, 100), snapshot(100, 2000), Selection(), Privacy())), "utf-8")
    page = open_page(path)
    colors = page.evaluate("""() => {
        const canvas = document.querySelector('#flame');
        const row = canvas.getContext('2d').getImageData(0, 36 * devicePixelRatio, canvas.width, 1).data;
        return [0.45, 0.95].map((x) => [...row.slice(4 * Math.floor(x * canvas.width)).slice(0, 3)]);
    }""")
    assert sorted("red" if red > blue + 50 else "blue" if blue > red + 50 else "" for red, _, blue in colors) == [
        "blue",
        "red",
    ]
