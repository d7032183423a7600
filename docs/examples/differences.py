"""What a server still holds after it has answered the same requests again."""

import memtrace

pages = {}
recent = []


def answer(request):
    pages[f"{request}.html"] = bytes(2_000)  # never emptied
    recent.append(bytes(3_000))
    del recent[:-100]


memtrace.start()
for request in range(300):
    answer(request)
before = memtrace.take_snapshot()

recent.pop(0)
for request in range(300, 600):
    answer(request)
after = memtrace.take_snapshot()

own_lines = memtrace.Filter(True, __file__)
before, after = before.filter_traces([own_lines]), after.filter_traces([own_lines])
for difference in after.compare_to(before, "lineno"):
    if difference.size > 10_000:
        print(difference)
