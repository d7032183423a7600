"""Runs programs bare and under `memtrace run`, and commands in this process or in one of their own."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from command_line import Programs, clean_environment, invoke, literal, programs, snapshots

__all__ = ["Programs", "clean_environment", "invoke", "literal", "programs", "snapshots"]


@pytest.fixture(scope="session", autouse=True)
def signals_not_ignored() -> Iterator[None]:
    """Programs start with the default disposition of each signal, also where the tests themselves run in the background.

    A shell without job control ignores SIGINT for such jobs, nohup ignores SIGHUP, and children inherit that. They do
    not inherit a handler, so one that does nothing takes its place.
    """
    ignored = [
        number
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_IGN
    ]
    for number in ignored:
        signal.signal(number, lambda *_: None)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
