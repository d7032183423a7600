"""Django remembers every query while DEBUG is on."""

import django
from django.conf import settings
from django.db import connection

import memtrace

DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}


def answer(name):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [name])
    return connection.queries_log[-1]


settings.configure(DEBUG=True, DATABASES=DATABASES)
django.setup()
for name in "ann", "bob", "cid":
    answer(name)
print(memtrace.holders(answer("dan"))[0])
