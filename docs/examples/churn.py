"""Which lines allocate again and again what they throw away."""

import memtrace

index = {}


def parse(line):
    fields = line.split(",")  # gone when the function returns
    return int(fields[0]), fields[2]


def load(lines):
    for line in lines:
        number, name = parse(line)
        index[number] = name.upper() + "!" * 50  # the upper-case name is gone at once


lines = [f"{number},{'x' * 300},name {number}" for number in range(20_000)]
memtrace.start()
load(lines[:10_000])
middle = memtrace.take_snapshot(blocks=False)
load(lines[10_000:])
snapshot = memtrace.take_snapshot(blocks=False).filter_traces([memtrace.Filter(True, __file__)])

print("From the start:")
for group in snapshot.churn()[:2]:
    print(f"{group.traceback}: {group.allocated_count:,} blocks allocated, {group.freed_count:,} freed,")
    print(f"  {group.temporary_count:,} of them at once")
print("In the second half:")
for group in snapshot.churn("function", since=middle)[:2]:
    print(f"{group.key}: {group.allocated_size:,} bytes allocated, {group.freed_size:,} freed")
