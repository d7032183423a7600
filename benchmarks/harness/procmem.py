"""Resident memory of this process, from Linux's procfs; all values in KiB."""

from pathlib import Path


def _status_field(name: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1])
    raise OSError(f"/proc/self/status has no {name}")


def resident_kib() -> int:
    """Return the resident set size now."""
    return _status_field("VmRSS")


def peak_resident_kib() -> int:
    """Return the highest resident set size since the start or the last reset."""
    return _status_field("VmHWM")


def reset_peak_resident() -> None:
    """Make the peak equal to the resident set size of now. Raises `OSError` when refused."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
