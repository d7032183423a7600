"""The largest lines with their source code, and what the others add up to."""

import linecache

import memtrace

NOT_OURS = [
    memtrace.Filter(False, "<frozen importlib._bootstrap*>"),  # code of imported modules
    memtrace.Filter(False, "<unknown>"),
    memtrace.Filter(False, memtrace.__file__),
]


def show_top(snapshot, group_by="lineno", limit=2):
    statistics = snapshot.filter_traces(NOT_OURS).statistics(group_by)
    for rank, statistic in enumerate(statistics[:limit], start=1):
        frame = statistic.traceback[0]
        print(f"{rank}. {frame.filename}:{frame.lineno}  {statistic.size / 1024:.0f} KiB")
        print(f"   {linecache.getline(frame.filename, frame.lineno).strip()}")
    others = sum(statistic.size for statistic in statistics[limit:])
    print(f"{len(statistics[limit:])} more  {others / 1024:.0f} KiB")
    print(f"together  {sum(statistic.size for statistic in statistics) / 1024:.0f} KiB")


if __name__ == "__main__":
    memtrace.start()
    words = [f"word {number}" for number in range(50_000)]
    lengths = {word: len(word) for word in words}
    text = " ".join(words)
    show_top(memtrace.take_snapshot())
