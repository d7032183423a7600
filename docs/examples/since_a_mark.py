"""What each phase of a program has left behind."""

import memtrace

sessions = {}
history = []


def load():
    return {word: len(word) for word in (f"word {number}" for number in range(10_000))}


def serve(number):
    sessions[number % 100] = bytearray(1_000)  # replaced when the same user comes again
    history.append(f"request {number}: " + "." * 100)  # kept for ever


memtrace.start()
table = load()
warm = memtrace.mark("warming up")
for number in range(500):
    serve(number)
serving = memtrace.mark("serving")
for number in range(2_000):
    serve(number)

snapshot = memtrace.take_snapshot().filter_traces([memtrace.Filter(True, __file__)])
print("Alive, by generation:")
for statistic in snapshot.statistics("generation"):
    print(statistic)
print("Alive since 'serving' began:")
for statistic in snapshot.since(serving).statistics("lineno")[:2]:
    print(statistic)
print("Left by 'warming up':")
for statistic in snapshot.between(warm, serving).statistics("lineno"):
    print(statistic)
