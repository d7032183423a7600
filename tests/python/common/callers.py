"""Calls of extensions in a file of their own: a trace with this file on top is a block of theirs."""

from __future__ import annotations

import unattached


def here(rounds: int, seed: int, gil: bool) -> None:
    unattached.here(rounds, seed, gil)
