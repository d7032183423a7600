"""Who asked for the blocks that a library function allocated."""

import json

import memtrace


def load(text):
    return json.loads(text)


def load_all(number):
    documents = []
    for _ in range(number):
        documents.append(load('{"name": "a document", "tags": ["one", "two", "three"], "size": 12.5}'))
    return documents


memtrace.start(25)  # frames: with the usual one, only the line in json would be known
documents = load_all(2_000)
snapshot = memtrace.take_snapshot()

largest = snapshot.statistics("traceback")[0]
print(f"{largest.count} blocks, {largest.size / 1024:.0f} KiB")
print(*largest.traceback.format(), sep="\n")

print("\nThe last document:")
print(*memtrace.get_object_traceback(documents[-1]).format(limit=2, most_recent_first=True), sep="\n")
