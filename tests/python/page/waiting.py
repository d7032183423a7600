"""Waiting for a page, whose policy forbids what Playwright's own wait_for_function() does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page as BrowserPage

_STEP = 25
_STEPS = 400


def wait_until(page: BrowserPage, condition: str) -> None:
    """Return when a JavaScript expression is true."""
    for _ in range(_STEPS):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(_STEP)
    raise AssertionError(f"never true: {condition}")


def search(page: BrowserPage, text: str) -> None:
    """Search for what is somewhere, and wait for the answer."""
    page.fill("#search", text)
    wait_until(page, f"new URLSearchParams(location.hash.slice(1)).get('query') === {json.dumps(text)}")
