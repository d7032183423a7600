"""The extensions of the Python tests, compiled into a folder from which interpreters can import them."""

from __future__ import annotations

import importlib
import sys
import sysconfig
from pathlib import Path
from types import ModuleType

from building import SOURCES, compile_c


def compile_into(folder: Path) -> None:
    """All that the soak needs; `folder` comes into the module search path."""
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    for name in ("allocations", "unattached", "reporter"):
        target = str(folder / (name + suffix))
        compile_c("-fPIC", "-shared", f"-DMODULE={name}", "-o", target, str(SOURCES / f"{name}.c"))
    sys.path.insert(0, str(folder))


def optional(name: str) -> ModuleType | None:
    """A module that this interpreter may have."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
