"""Keeps what was rendered."""

import json


class Cache:
    def __init__(self):
        self.pages = {}

    def put(self, name, page):
        self.pages[name] = page
        self.pages[f"{name}.json"] = json.dumps({"name": name, "page": page}, indent=2)


def render(number, rows=20):
    cells = [f"<tr><td>{number}</td><td>{'x' * 400}</td></tr>" for _ in range(rows)]
    return "\n".join(cells)
