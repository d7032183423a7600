#!/usr/bin/env python3
"""Takes the pictures in screenshots/ again, to be looked at: `take_screenshots.py`, with the extra "page" installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

HERE = Path(__file__).parent
HEIGHTS = {1440: 900, 1024: 768, 390: 844}
VIEWS = {
    "flame": ("report", "#hide=imports&by=function"),
    "search": ("report", "#hide=imports,library&split=label&query=render"),
    "table": ("report", "#tab=table&filter=shop/"),
    "source": ("report", "#tab=source"),
    "changes": ("changes", "#hide=imports&width=size"),
    "changes-table": ("changes", "#tab=table&filter=shop/&show=churn"),
}


def in_this_folder(*words: str | Path) -> None:
    """Run Python where the shop is: names of files are relative to here."""
    subprocess.run([sys.executable, *map(str, words)], cwd=HERE, check=True)


def write_pages(folder: Path) -> None:
    """Write report.html and changes.html into *folder*."""
    for name, pages, orders in (("old", 10, 900), ("new", 40, 300)):
        in_this_folder("-c", "exec(open('record.py').read())", folder / f"{name}.mtrace", str(pages), str(orders))
    in_this_folder("-m", "memtrace", "flamegraph", folder / "new.mtrace", "-o", folder / "report.html")
    in_this_folder(
        *("-m", "memtrace", "diff", folder / "old.mtrace", folder / "new.mtrace", "--html", folder / "changes.html")
    )


def take(browser: Browser, folder: Path, name: str, width: int, scheme: str) -> None:
    """Take one picture."""
    report, fragment = VIEWS[name]
    context = browser.new_context(viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{(folder / report).with_suffix('.html').as_uri()}{fragment}")
    page.wait_for_selector("html[data-ready]", state="attached")
    page.evaluate(f"document.querySelector('#title').textContent = '{report}.mtrace'")  # not where it was
    page.wait_for_timeout(200)
    page.screenshot(path=HERE / "screenshots" / f"{name}-{width}-{scheme}.png")
    context.close()


def main() -> None:
    """Take all of them: each view once wide and light, and the flame graph and the changes in all ways."""
    (HERE / "screenshots").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write_pages(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name in VIEWS:
            for width in HEIGHTS:
                for scheme in ("light", "dark"):
                    if name in ("flame", "changes") or (width, scheme) in ((1440, "light"), (390, "dark")):
                        take(browser, Path(folder), name, width, scheme)
        browser.close()


if __name__ == "__main__":
    main()
