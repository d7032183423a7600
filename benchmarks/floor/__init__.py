"""The floor: hooks that record nothing, compiled when first needed."""

import importlib.machinery
import importlib.util
import os
import shlex
import subprocess
import sysconfig
from pathlib import Path
from typing import Protocol, cast

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


def build() -> Path:
    """Compile the extension for this interpreter unless it is up to date; return its path.

    Raises `subprocess.CalledProcessError` when the compiler fails. Two processes may build at
    once: each writes its own file and renames it.
    """
    suffix: str = sysconfig.get_config_var("EXT_SUFFIX")
    target = _SOURCE.parent / "_build" / f"floor{suffix}"
    if target.exists() and target.stat().st_mtime_ns >= _SOURCE.stat().st_mtime_ns:
        return target
    target.parent.mkdir(exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    include = sysconfig.get_path("include")
    flags = ["-O3", "-shared", "-fPIC", f"-I{include}"]
    subprocess.run([*compiler, *flags, str(_SOURCE), "-o", str(partial)], check=True)
    partial.replace(target)
    return target


def load() -> FloorModule:
    """Build when needed, import and return the extension."""
    loader = importlib.machinery.ExtensionFileLoader("floor", str(build()))
    spec = importlib.util.spec_from_loader("floor", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return cast(FloorModule, module)
