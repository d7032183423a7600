"""A shop: pages under labels in two threads, and orders; `pages` and `orders` say how many."""

import threading

import click  # noqa: F401

import memtrace

store = cache.Cache()  # noqa: F821
kept = []


def handle(number):
    with memtrace.label(f"GET /page/{number % 3}"):
        store.put(f"page {number}", cache.render(number))  # noqa: F821


def serve(first):
    for number in range(first, first + pages):  # noqa: F821
        handle(number)


def in_thread(name, first):
    """Serve in a thread that stays: without a GIL the name of one that has ended is not known."""
    served = threading.Event()

    def work():
        serve(first)
        served.set()
        threading.Event().wait()

    threading.Thread(target=work, name=name, daemon=True).start()
    served.wait()


def run():
    in_thread("worker-0", 0)
    in_thread("worker-1", 100)
    kept.append(orders.load(order_count))  # noqa: F821
    memory = orders.history(kept[-1])  # noqa: F821
    return len(memory)


run()
