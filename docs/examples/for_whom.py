"""Which request, and which thread, memory was allocated for."""

import asyncio

import memtrace

pages = {}
exports = []


async def show(name):
    with memtrace.label("GET /page"):
        await asyncio.sleep(0)  # others run meanwhile, under labels of their own
        pages.setdefault(name, bytearray(20_000))


@memtrace.label("POST /export")
async def export(size):
    rows = await asyncio.to_thread(collect, size)
    exports.append(rows)


def collect(size):
    return [bytearray(100) for _ in range(size)]


async def main():
    requests = [show(f"page {number % 10}") for number in range(500)]
    await asyncio.gather(*requests, export(1_000), export(2_000))


memtrace.start(10)
asyncio.run(main())

snapshot = memtrace.take_snapshot().filter_traces([memtrace.Filter(True, __file__)])
for key_type in "label", "thread":
    print(f"By {key_type}:")
    for statistic in snapshot.statistics(key_type):
        print(statistic)
