"""The floor: hooks that record nothing, compiled when first needed."""

import importlib.machinery
import importlib.util
from pathlib import Path
from typing import Protocol, cast

from benchmarks.harness.compiled import compiled

_SOURCE = Path(__file__).with_name("floor.c")


class FloorModule(Protocol):
    """The compiled module."""

    def install(self) -> None:
        """Hook the three allocator domains of this process."""

    def is_installed(self) -> bool:
        """Tell whether all three domains are hooked."""

    def install_reference_tracer(self) -> None:
        """Set a reference tracer that does nothing; Python 3.13 and later only."""

    def has_reference_tracer(self) -> bool:
        """Tell whether this reference tracer is still set; Python 3.13 and later only."""


def load() -> FloorModule:
    """Build when needed, import and return the extension."""
    loader = importlib.machinery.ExtensionFileLoader("floor", str(compiled(_SOURCE)))
    spec = importlib.util.spec_from_loader("floor", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return cast(FloorModule, module)
