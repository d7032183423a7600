"""What the tests of running traces have in common."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import memtrace


@pytest.fixture
def traced() -> Iterator[None]:
    """Trace, from nothing, as long as the test runs."""
    memtrace.stop()
    memtrace.start(10)
    yield
    memtrace.stop()
