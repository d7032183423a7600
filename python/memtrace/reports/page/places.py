"""Whose code a file is, and what of its name may be told."""

from __future__ import annotations

import re
from enum import IntEnum

from memtrace._user_code import _library_folders


class Kind(IntEnum):
    """Whose code a file is."""

    OWN = 0
    STANDARD_LIBRARY = 1
    PACKAGES = 2
    IMPORT_SYSTEM = 3


_IMPORT_SYSTEM = "<frozen importlib._bootstrap"
_PACKAGES = re.compile(r".*[/\\](?:site|dist)-packages[/\\]", re.DOTALL)
_LIBRARY = re.compile(r".*[/\\]lib(?:64)?[/\\]python3\.\d+t?[/\\]", re.DOTALL)
_FOLDERS = re.compile(r".*[/\\]", re.DOTALL)


class Places:
    """Looks at file names; keeps what it asks the interpreter for."""

    def __init__(self) -> None:
        self._libraries = tuple(f"{folder}/" for folder in _library_folders())
        self._kinds: dict[str, Kind] = {}

    def kind(self, filename: str) -> Kind:
        """Return whose code the file is, in this installation of Python or in any other."""
        kind = self._kinds.get(filename)
        if kind is None:
            kind = self._kinds[filename] = self._kind(filename)
        return kind

    def _kind(self, filename: str) -> Kind:
        if filename.startswith(_IMPORT_SYSTEM):
            return Kind.IMPORT_SYSTEM
        if _PACKAGES.match(filename):
            return Kind.PACKAGES
        if filename.startswith(("<frozen ", *self._libraries)) or _LIBRARY.match(filename):
            return Kind.STANDARD_LIBRARY
        return Kind.OWN

    def redacted(self, filename: str) -> str:
        """Return the name without folders; of the standard library and of packages with those inside of them."""
        for pattern in (_PACKAGES, _LIBRARY):
            if found := pattern.match(filename):
                return filename[found.end() :]
        for folder in self._libraries:
            if filename.startswith(folder):
                return filename[len(folder) :]
        return _FOLDERS.sub("", filename)
