"""Read a CSV file and group its rows."""

import sys

import pandas

rows = pandas.read_csv(sys.argv[1])
print(rows.shape, rows.memory_usage(deep=True).sum() > 0)
print(rows.groupby("city")[["amount", "weight"]].agg(["sum", "mean", "max"]))
print(rows.groupby(["city", "kind"]).size().sort_values().tail(5))
print(rows["name"].str.upper().nunique())
