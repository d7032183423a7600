"""Worker: one question to memtrace.holders() in a program that keeps many objects."""

import gc
import random
import sys
import time
import types
import weakref
from typing import Any

import memtrace
from benchmarks.harness import procmem
from benchmarks.harness.process import read_request, write_report

OBJECTS_OF_A_USER = 5
"""The user, its list, a dictionary, a text and a tuple."""
SEED = 20


class User:
    """As a program keeps them: an instance with a few attributes, each an object of its own."""

    def __init__(self, number: int) -> None:
        self.name = f"user {number}"
        self.orders: list[Any] = [(number, self.name)]
        self.settings = {"theme": number % 7}


def main() -> None:
    """Hold the users in a module, each referring to another by chance; ask who holds one of them."""
    request = read_request()
    dice = random.Random(SEED)
    module = types.ModuleType("shop")
    sys.modules["shop"] = module
    users = [User(number) for number in range(request["objects"] // OBJECTS_OF_A_USER)]
    for user in users:
        user.orders.append(dice.choice(users))
    dice.shuffle(users)
    module.users = {user.name: user for user in users}  # type: ignore[attr-defined]
    asked = weakref.ref(users[len(users) // 2])
    name = users[len(users) // 2].name
    del users, user

    begin = time.process_time()
    gc.collect()
    collection = time.process_time() - begin
    memtrace.holders(None, limit=1)  # imports what it needs
    resident = procmem.resident_kib()
    procmem.reset_peak_resident()
    begin = time.process_time()
    chains = memtrace.holders(asked())
    seconds = time.process_time() - begin
    added = procmem.peak_resident_kib() - resident

    expected = f"attribute 'users' -> dict, value of key {name!r} -> {User.__module__}.User"
    found = ", ".join(map(str, chains[0].links))
    doubts = [] if found == expected else [f"the first chain is {found}, not {expected}"]
    write_report(request, {"seconds": seconds, "collection": collection, "added_kib": added, "doubts": doubts})


if __name__ == "__main__":
    main()
