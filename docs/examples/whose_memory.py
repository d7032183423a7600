"""One snapshot, looked at from several sides."""

import json

import memtrace
from memtrace import Filter, FunctionFilter, LabelFilter, PackageFilter, SizeFilter

settings = []
pages = {}
history = []


def load():
    text = ", ".join(f'"setting {number}"' for number in range(5_000))
    settings.extend(json.loads(f"[{text}]"))


def show(name):
    with memtrace.label("GET /page"):
        pages[name] = bytearray(20_000)
        history.append(json.loads(f'["{name}", "{"." * 100}"]'))


def clean():
    with memtrace.label("clean-up"):
        history.append(bytearray(5_000))


def report(title, *filters):
    kept = snapshot.filter_traces(filters)
    print(f"{title}:")
    for statistic in kept.statistics("function"):
        if statistic.size > 4_000:
            print(f"    {statistic.key}: {statistic.size:,} B in {statistic.count} blocks")


memtrace.start(25)
load()
for number in range(50):
    show(f"page {number}")
clean()
snapshot = memtrace.take_snapshot()

report("My code", Filter.user_code())
report("What json has made", PackageFilter(True, "json"))
report("What json has made for load()", PackageFilter(True, "json") & FunctionFilter(True, "*.load", all_frames=True))
report("Large pages", LabelFilter(True, "GET *") & SizeFilter(True, "10 KiB"))
report("My code, but for the pages", Filter.user_code() & ~LabelFilter(True, "GET *"))
