"""What the memory is: live blocks by the type of the object that they are part of."""

import memtrace


class Article:
    def __init__(self, number):
        self.title = f"Article {number}"
        self.words = [f"word {i}" for i in range(number % 4)]
        self.seen_by = set()


class Cache:
    def __init__(self):
        self.articles = {}

    def get(self, number):
        if number not in self.articles:
            self.articles[number] = Article(number)
        return self.articles[number]


cache = Cache()
memtrace.start(5)
for visitor in range(20_000):
    cache.get(visitor % 5_000).seen_by.add(visitor)

snapshot = memtrace.take_snapshot(types=True)
own = snapshot.filter_traces([memtrace.Filter(True, __file__)])
print("By type:")
for statistic in own.statistics("type")[:6]:
    print(statistic)

print("By type and line:")
rows = own.statistics(("type", "lineno"))
for statistic in rows[:3]:
    print(statistic)

print("Objects:")
articles = next(row for row in rows if "Article" in row.key)
for article in sorted(own.objects(articles, limit=10_000), key=lambda article: int(article.title[8:]))[:3]:
    print(article.title, len(article.seen_by))
