"""How much memory a piece of work needs while it runs, and how much it leaves behind."""

import memtrace


def sum_of_list(number):
    return sum([each * each for each in range(number)])


def sum_of_generator(number):
    return sum(each * each for each in range(number))


def squares(number):
    return [each * each for each in range(number)]


memtrace.start()
results = []
for work in (sum_of_list, sum_of_generator, squares):
    memtrace.reset_peak()  # the peak of this piece of work, not of all before it
    size_before, _ = memtrace.get_traced_memory()
    results.append(work(100_000))
    size, peak = memtrace.get_traced_memory()
    print(f"{work.__name__}: {(peak - size_before) / 1024:.1f} KiB needed, {(size - size_before) / 1024:.1f} KiB kept")
