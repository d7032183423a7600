"""Sales by month and article."""

import pandas as pd

sales = pd.read_csv("sales.csv", parse_dates=["day"])
sales["month"] = sales["day"].dt.strftime("%Y-%m")
totals = sales.groupby(["month", "article"])["amount"].sum()
print(totals.unstack().round(2).iloc[:, :3])
