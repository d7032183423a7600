"""Puts a report together from pages, and keeps the beginning of it."""


def render(number):
    pages = [bytes(100_000) for _ in range(number)]
    return b"".join(pages)[:1_000_000]


report = render(50)
print(len(report), "bytes")
