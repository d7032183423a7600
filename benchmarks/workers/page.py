"""Writes a page about a large snapshot, opens it in a browser, and looks at it as a user would."""

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

import memtrace
from benchmarks.harness.process import read_request, write_report

FILES = 1_000
LINES = 40
DEEPEST = 60
SEARCHES = ("mod12", "pkg3/", ":17", "nothing of the kind")

# The time from an event in the page to the first picture after `done` holds, in milliseconds.
AFTER_EVENT = """async ([begin, done]) => {
    const start = performance.now();
    (0, eval)(begin);
    while (!(0, eval)(done)) await new Promise((next) => setTimeout(next));
    await new Promise((next) => requestAnimationFrame(() => setTimeout(next)));
    return performance.now() - start;
}"""


def large_snapshot(nodes: int) -> memtrace.Snapshot:
    """Return a snapshot whose stacks make a tree of so many nodes, wide at the top and uneven below."""
    chance = random.Random(1)
    stacks: list[tuple[tuple[str, int], ...]] = [()]
    traces = []
    while len(stacks) <= nodes:
        stack = chance.choice(stacks)
        if len(stack) > DEEPEST:
            continue
        for _ in range(min(chance.randrange(1, 5), nodes + 1 - len(stacks))):
            number = chance.randrange(FILES)
            frame = (f"/srv/app/pkg{number % 40}/mod{number}.py", chance.randrange(1, LINES))
            stack = (frame, *stack)
            stacks.append(stack)
        traces.append((0, chance.randrange(16, 4096), stack, len(stack)))
    return memtrace.Snapshot(traces, DEEPEST + 4)


def seconds_of(page: Page, begin: str, done: str) -> float:
    """Return how long the page takes from *begin* to the picture after *done*, both of them JavaScript."""
    start_to_end: float = page.evaluate(AFTER_EVENT, [begin, done])
    return start_to_end / 1000


def look_at(path: Path, size: str) -> dict[str, Any]:
    """Return how long the page takes to open and to answer."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        # The page's policy forbids eval() in it, also that of whoever measures.
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True).new_page()
        begin = time.perf_counter()
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-ready]", state="attached")
        page.evaluate("new Promise((next) => requestAnimationFrame(() => setTimeout(next)))")
        opened = time.perf_counter() - begin
        summary = page.inner_text("#summary")
        page.wait_for_timeout(500)  # nobody types sooner
        searches = [
            seconds_of(
                page,
                f"{{ const search = document.querySelector('#search'); search.value = {text!r};"
                "document.querySelector('#found').textContent = '';"
                "search.dispatchEvent(new Event('input')); }",
                "document.querySelector('#found').textContent",
            )
            for text in SEARCHES
        ]
        inverted = seconds_of(
            page, "document.querySelector('#inverted').click()", "location.hash.includes('inverted=1')"
        )
        table = seconds_of(page, "document.querySelector('#tab-table').click()", "location.hash.includes('tab=table')")
        browser.close()
    problems = [] if size in summary else [f"the page says {summary}, the snapshot {size}"]
    return {"open": opened, "search": max(searches), "inverted": inverted, "table": table, "problems": problems}


def main() -> None:
    """Write and open one page."""
    request = read_request()
    folder = Path(request["scratch"])
    snapshot = large_snapshot(request["nodes"])
    snapshot.dump(folder / "large.mtrace")
    page = folder / "page.html"
    command = [sys.executable, "-m", "memtrace", "flamegraph", str(folder / "large.mtrace"), "-o", str(page)]
    begin = time.perf_counter()
    subprocess.run(command, check=True)
    written = time.perf_counter() - begin
    blocks = f"{sum(each.count for each in snapshot.statistics('filename')):,} blocks"
    report = look_at(page, blocks)
    write_report(request, {"write": written, "megabytes": page.stat().st_size / 1e6, **report})


if __name__ == "__main__":
    main()
