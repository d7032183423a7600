"""Writes sales.csv: a year of sales."""

import random

draw = random.Random(1)
with open("sales.csv", "w") as file:
    print("day,article,amount", file=file)
    for _ in range(300_000):
        month, day = draw.randint(1, 12), draw.randint(1, 28)
        print(f"2026-{month:02}-{day:02},article {draw.randint(1, 50)},{draw.random() * 100:.2f}", file=file)
