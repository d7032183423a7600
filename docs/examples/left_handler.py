"""A logging handler that was added for one job, and never removed."""

import logging.handlers
import weakref

import memtrace


def run_job(number):
    handler = logging.handlers.MemoryHandler(capacity=100_000)
    logger = logging.getLogger("jobs")
    logger.addHandler(handler)
    logger.error("job %d", number)
    return weakref.ref(handler)


handlers = [run_job(number) for number in range(4)]
for chain in memtrace.holders(handlers[3]()):
    print(chain)
