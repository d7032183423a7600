"""memtrace in IPython: the magic, and what snapshots and statistics look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from page_data import Page

import memtrace

IPython = pytest.importorskip("IPython")

HOSTILE = "<script>alert(1)</script>\x1b[31m&.py"


class Cells(HTMLParser):
    """The texts of the cells of a table, and the names of all elements."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.elements: set[str] = set()
        self._open = False
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self.elements.add(tag)
        if tag in ("td", "th"):
            self.texts.append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[-1] += data


class Frame(HTMLParser):
    """The attributes of the frame in an output."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.attributes: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.attributes = {name: value or "" for name, value in attributes}


@pytest.fixture(scope="module")
def shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    instance = InteractiveShell.instance()
    instance.run_line_magic("load_ext", "memtrace")
    yield instance
    instance.run_line_magic("unload_ext", "memtrace")
    InteractiveShell.clear_instance()


@pytest.fixture
def run_cell(shell: Any) -> Callable[[str], Any]:
    """Run a cell; what it has displayed and printed."""
    from IPython.utils.capture import capture_output

    def run(cell: str) -> Any:
        with capture_output() as captured:
            shell.run_cell(cell)
        return captured

    return run


def html_of(captured: Any) -> str:
    (output,) = captured.outputs
    html: str = output.data["text/html"]
    return html


def test_a_cell_that_leaves_something(run_cell: Callable[[str], Any], shell: Any) -> None:
    captured = run_cell("%%memtrace -l 3\nkept = [bytearray(1_000_000) for _ in range(3)]\nprint('ran')")
    assert captured.stdout.startswith("ran\n")
    cells = Cells(html_of(captured))
    assert "2930 KiB" in cells.texts
    assert len([text for text in cells.texts if text.endswith("%")]) <= 3
    assert cells.elements <= {"div", "b", "table", "thead", "tbody", "tr", "th", "td", "iframe"}
    assert len(shell.user_ns["kept"]) == 3
    assert not memtrace.is_tracing()
    assert shell.user_ns["memtrace_cell"].statistics("lineno")[0].size > 3_000_000


def test_the_page_of_a_cell(run_cell: Callable[[str], Any]) -> None:
    """It begins with the cell, whose source it has; nothing of it is part of the notebook's own document."""
    html = html_of(run_cell("%%memtrace\nkept = bytearray(1_000_000)  # of the cell"))
    if "<iframe" not in html:
        pytest.skip("memtrace was built without the page")
    frame = Frame(html)
    assert frame.attributes["sandbox"] == "allow-scripts"
    page = Page.within(frame.attributes["srcdoc"])
    header = page.header
    assert header["files"][0].startswith("<ipython-input-")
    assert "kept = bytearray(1_000_000)  # of the cell" in str(header["sources"])
    in_cell = [stack for stack in page.stacks() if any(name.startswith("<ipython-input-") for name, *_ in stack)]
    assert in_cell
    assert all(stack[0][0].startswith("<ipython-input-") for stack in in_cell)
    assert "<iframe" not in html_of(run_cell("%%memtrace -t\nkept = bytearray(1_000_000)"))


def test_the_peak_of_a_cell(run_cell: Callable[[str], Any]) -> None:
    cell = "held = [bytearray(1_000_000) for _ in range(4)]\ndel held"
    assert "3907 KiB" not in html_of(run_cell(f"%%memtrace\n{cell}"))
    captured = run_cell(f"%%memtrace --at-peak -g function\n{cell}")
    assert "Live at the cell's peak" in html_of(captured)
    assert "3907 KiB" in Cells(html_of(captured)).texts


def test_where_tracing_is_on_it_stays_on(run_cell: Callable[[str], Any]) -> None:
    memtrace.start(3)
    old = bytearray(5_000_000)
    captured = run_cell("%%memtrace -g type\nkept = {1, 2, 3}")
    assert memtrace.is_tracing()
    assert memtrace.get_traceback_limit() == 3
    memtrace.stop()
    assert "MiB" not in "".join(Cells(html_of(captured)).texts)
    assert len(old) == 5_000_000


def test_a_cell_that_fails(run_cell: Callable[[str], Any]) -> None:
    captured = run_cell("%%memtrace\nkept = bytearray(1_000_000)\n1 / 0")
    assert "ZeroDivisionError" in captured.stdout
    assert not memtrace.is_tracing()


def test_options_that_there_are_not(run_cell: Callable[[str], Any]) -> None:
    captured = run_cell("%%memtrace --group-by colour\npass")
    assert "argument -g/--group-by: invalid choice: 'colour'" in captured.stdout
    assert not memtrace.is_tracing()


@pytest.fixture
def snapshot() -> memtrace.Snapshot:
    return memtrace.Snapshot([(0, 5000, ((HOSTILE, 3), ("b.py", 4)), 2), (0, 100, (("b.py", 1),), 1)], 5)


def test_a_snapshot_is_shown_as_a_table(snapshot: memtrace.Snapshot) -> None:
    cells = Cells(snapshot._repr_html_())
    assert "script" not in cells.elements
    assert "5000 B" in cells.texts
    assert any("<script>alert(1)</script>\\x1b[31m&.py:3" in text for text in cells.texts)


@pytest.fixture
def shown(shell: Any) -> Callable[[object], str | None]:
    """The HTML in which a value that ends a cell is shown, or None."""
    return lambda value: shell.display_formatter.format(value)[0].get("text/html")


@pytest.mark.parametrize("group_by", ["lineno", "filename", "traceback", "function", "module"])
def test_statistics_are_shown_as_a_table(
    shown: Callable[[object], str], snapshot: memtrace.Snapshot, group_by: str
) -> None:
    statistics = snapshot.statistics(group_by)
    differences = snapshot.compare_to(memtrace.Snapshot([(0, 7, (("c.py", 1),), 1)], 5), group_by)
    assert "100 B" in Cells(shown(statistics)).texts
    assert "-7 B" in Cells(shown(differences)).texts
    assert "5000 B" in Cells(shown(statistics[0])).texts
    assert "script" not in Cells(shown(statistics)).elements


def test_groups_by_a_name_are_called_by_it(shown: Callable[[object], str], snapshot: memtrace.Snapshot) -> None:
    assert any(text.startswith("python") for text in Cells(shown(snapshot.statistics("domain"))).texts)


def test_other_lists_are_shown_as_they_are(shown: Callable[[object], str | None], snapshot: memtrace.Snapshot) -> None:
    for value in ([], [1, 2], [snapshot.statistics("lineno")[0], 1]):
        assert shown(value) is None
