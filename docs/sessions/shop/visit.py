"""Visits the shop: `visit.py VISITORS`."""

import os
import sys

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()

from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402

from shop.models import Article  # noqa: E402

call_command("migrate", run_syncdb=True, verbosity=0)
Article.objects.bulk_create(Article(title=f"Article {number}", text="Words. " * 50) for number in range(20))

client = Client()
for number in range(int(sys.argv[1])):
    response = client.get("/articles/", {"visitor": number})
    assert response.status_code == 200
