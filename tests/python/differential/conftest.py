"""Random numbers for each test, seeded; and the folder's helpers as importable modules."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture(params=range(25))
def rng(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.param)
