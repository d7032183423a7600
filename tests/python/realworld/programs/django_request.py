"""Check a Django project and make one request through the test client."""

import os
import sys

sys.path.insert(0, sys.argv[1])
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"

import django
from django.core.management import call_command
from django.test import Client

django.setup()
call_command("check")
call_command("migrate", verbosity=0)
response = Client().get("/articles/?count=50")
print(response.status_code, len(response.content), response["Content-Type"])
print(response.content.decode())
