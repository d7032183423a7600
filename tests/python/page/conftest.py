"""Pages about a small shop, and a browser to look at them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

HERE = Path(__file__).parent
sys.path.append(str(HERE))

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext
    from playwright.sync_api import Page as BrowserPage

    Open = Callable[..., BrowserPage]


def in_this_folder(*words: str | Path) -> None:
    subprocess.run([sys.executable, *map(str, words)], cwd=HERE, check=True, timeout=280, capture_output=True)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the snapshots old.mtrace and new.mtrace, of which the new one has more pages and fewer orders."""
    folder = tmp_path_factory.mktemp("shop")
    for name, pages, orders in (("old", 10, 900), ("new", 40, 300)):
        in_this_folder("-c", "exec(open('record.py').read())", folder / f"{name}.mtrace", str(pages), str(orders))
    return folder


@pytest.fixture(scope="session")
def report(shop: Path) -> Path:
    path = shop / "report.html"
    in_this_folder("-m", "memtrace", "flamegraph", shop / "new.mtrace", "-o", path)
    return path


@pytest.fixture(scope="session")
def changes(shop: Path) -> Path:
    path = shop / "changes.html"
    in_this_folder("-m", "memtrace", "diff", shop / "old.mtrace", shop / "new.mtrace", "--html", path)
    return path


# Of each module: as long as it is there, Playwright's event loop counts as running, and asyncio.run() refuses.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (the extra 'page')")
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("there is no Chromium on PATH (Debian's package chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open a page. At the end none may have said anything on its console, or asked for anything but itself."""
    contexts: list[BrowserContext] = []
    told: list[str] = []

    def open_page(
        path: Path, fragment: str = "", width: int = 1440, height: int = 900, scheme: str = "light"
    ) -> BrowserPage:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.on("console", lambda message: told.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: told.append(f"error: {error}"))
        page.on("request", lambda request: told.append(request.url) if request.url != path.as_uri() else None)
        page.goto(f"{path.as_uri()}{fragment}")
        page.wait_for_selector("html[data-ready]", state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert told == []
