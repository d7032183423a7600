"""A program that knows nothing of memtrace: it reads orders and adds them up."""

import json
import sys


def read(number):
    text = json.dumps([{"order": each, "lines": [each, each + 1, each + 2]} for each in range(number)])
    return json.loads(text)


def totals(orders):
    sums = {}
    for order in orders:
        sums[f"order {order['order']}"] = sum(order["lines"])
    return sums


orders = read(int(sys.argv[1]) if len(sys.argv) > 1 else 4_000)
sums = totals(orders)
print(len(sums), "orders,", sum(sums.values()), "in all")
