"""Compiles a C file of the benchmarks for this interpreter when first needed."""

import os
import shlex
import subprocess
import sysconfig
from pathlib import Path


def compiled(source: Path) -> Path:
    """Return the shared library made of *source*; compiles it unless that is up to date.

    It lies in ``_build`` beside *source*. Raises `subprocess.CalledProcessError` when the compiler
    fails. Two processes may build at once: each writes its own file and renames it.
    """
    suffix: str = sysconfig.get_config_var("EXT_SUFFIX")
    target = source.parent / "_build" / f"{source.stem}{suffix}"
    if target.exists() and target.stat().st_mtime_ns >= source.stat().st_mtime_ns:
        return target
    target.parent.mkdir(exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}")
    compiler = shlex.split(sysconfig.get_config_var("CC") or "cc")
    include = sysconfig.get_path("include")
    flags = ["-O3", "-shared", "-fPIC", f"-I{include}"]
    subprocess.run([*compiler, *flags, str(source), "-o", str(partial)], check=True)
    partial.replace(target)
    return target
