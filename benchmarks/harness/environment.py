"""Facts about interpreter, packages and machine that a reader needs and that identify nobody."""

import importlib.metadata
import os
import platform
import sysconfig
from pathlib import Path

PACKAGES = ("memray", "pyperformance")


def describe() -> dict[str, str]:
    """Return the facts, in the order in which they are shown."""
    return {
        "python": f"{platform.python_version()} ({_build()}, {platform.python_compiler()})",
        "memtrace": _memtrace_version(),
        **{package: _version(package) for package in PACKAGES},
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}, {' '.join(platform.libc_ver())}",
    }


def _build() -> str:
    arguments = sysconfig.get_config_var("CONFIG_ARGS") or ""
    flags = [f for f in ("--enable-optimizations", "--with-lto") if f in arguments]
    level = [f for f in (sysconfig.get_config_var("OPT") or "").split() if f.startswith("-O")]
    return " ".join([*level, *flags])


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _memtrace_version() -> str:
    distributions = importlib.metadata.packages_distributions().get("memtrace", [])
    return _version(distributions[0]) if distributions else "not installed"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
