"""The page inside of a frame, as %%memtrace shows it."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Open


def test_in_a_frame_of_its_own(open_page: Open, report: Path, tmp_path: Path) -> None:
    """It works without an address, and cannot reach the document around it."""
    from memtrace._notebook import _FRAME

    notebook = tmp_path / "notebook.html"
    frame = _FRAME.format(escape(report.read_text("utf-8")))
    notebook.write_text(f"<!doctype html><html lang='en' data-ready><title>A notebook</title>{frame}", "utf-8")
    page = open_page(notebook)
    inner = page.frame_locator("iframe")
    inner.locator("html[data-ready]").wait_for(state="attached")
    assert not inner.locator("#copy").is_visible()
    inner.locator("#tab-table").click()
    assert inner.locator("#table").is_visible()
    inner.locator("#search").fill("render")
    inner.locator("#tab-flame").click()
    assert inner.locator("#flame").is_visible()
    origin = page.frames[1].evaluate("() => { try { return parent.document.title; } catch { return 'refused'; } }")
    assert origin == "refused"
