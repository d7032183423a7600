"""What was alive when a program needed most, long after it has let go of it."""

import memtrace


def read(number):
    return [f"line {each} of a long file" for each in range(number)]


def sort(lines):
    keyed = [(line[::-1], line) for line in lines]  # an intermediate result
    return [line for _, line in sorted(keyed)]


def report(number):
    with memtrace.peak() as region:
        lines = sort(read(number))
    print(f"report({number}): {region.peak / 1024:.0f} KiB at most, {region.current / 1024:.0f} KiB at the end")
    return lines[0]


memtrace.start()
first = report(20_000)
report(2_000)

print("At the peak of all:")
for statistic in memtrace.take_peak_snapshot().statistics("lineno")[:3]:
    print(statistic)
