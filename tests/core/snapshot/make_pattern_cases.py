"""Prints pattern_cases.inc: shell patterns, names, and whether Python's fnmatch says they match.

    python3 tests/core/snapshot/make_pattern_cases.py > tests/core/snapshot/pattern_cases.inc

The alphabet is chosen for trouble: brackets, negations, hyphens, characters that mean something in a
regular expression, characters of two to four bytes, lone surrogates and a newline.
"""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Iterator

CHOSEN = [
    ("", ""),
    ("", "a"),
    ("*", ""),
    ("**", "ab"),
    ("?", ""),
    ("?", "é"),
    ("?", "\U0001f40d"),
    ("?", "\udc80"),
    ("??", "\udc80"),
    ("?", "\n"),
    ("*", "a\nb"),
    ("[", "["),
    ("[]", "[]"),
    ("[!]", "[!]"),
    ("[]]", "]"),
    ("[!]]", "a"),
    ("[!]]", "]"),
    ("[a-c]", "b"),
    ("[c-a]", "b"),
    ("[!c-a]", "b"),
    ("[a-]", "-"),
    ("[-a]", "-"),
    ("[!-a]", "-"),
    ("[!- ]", "a"),
    ("[!-a-c]", "b"),
    ("[--0]", "."),
    ("[b-a!x]", "x"),
    ("[b-a!x]", "y"),
    ("[b-a!-z]", "-"),
    ("[b-a!-z]", "m"),
    ("[^a]", "^"),
    ("[^a]", "b"),
    ("[a^]", "^"),
    ("[[]", "["),
    ("[\\]", "\\"),
    ("[a\\-z]", "b"),
    ("[&&|~~]", "&"),
    ("[à-ü]", "é"),
    ("[\udc80-\udcff]", "\udcaa"),
    ("a.b", "axb"),
    ("a+", "aa"),
    ("*.py", "x.py"),
    ("*/x/*.py", "/a/x/y/x/z.py"),
    ("*a*b*c", "aXbXbXc"),
    ("*a*b*c", "aXcXb"),
    ("a" + "*a" * 12, "a" * 30),
    ("*a" * 12 + "b", "a" * 40),
]
ALPHABET = "aabbc-!]^[\\?*&|~.\né\u20ac\U0001f40d\udc80"


def random_cases(count: int) -> Iterator[tuple[str, str]]:
    source = random.Random(20)
    for _ in range(count):
        pattern = "".join(source.choices(ALPHABET, k=source.randint(1, 7)))
        if source.random() < 0.7:
            pattern = "[" + pattern + "]" + "".join(source.choices(ALPHABET, k=source.randint(0, 2)))
        name = source.choices(pattern.strip("[]") + ALPHABET, k=source.randint(1, 2))
        yield pattern, "".join(name)


def literal(text: str) -> str:
    """A C++ string literal of the text's WTF-8 bytes."""
    bytes_ = text.encode("utf-8", "surrogatepass")
    return '"' + "".join(chr(b) if chr(b).isalnum() and b < 128 else f"\\{b:03o}" for b in bytes_) + '"'


def main() -> None:
    print("// Made by make_pattern_cases.py; do not edit.")
    cases = list(dict.fromkeys(CHOSEN + list(random_cases(4000))))
    matching = [case for case in cases if fnmatch.fnmatchcase(case[1], case[0])]
    failing = [case for case in cases if case not in set(matching)]
    for pattern, name in [*matching, *failing[: len(matching)]]:
        matches = "true" if fnmatch.fnmatchcase(name, pattern) else "false"
        print(f"{{{literal(pattern)}, {literal(name)}, {matches}}},")


if __name__ == "__main__":
    main()
