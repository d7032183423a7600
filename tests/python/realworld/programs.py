"""The programs of the check: what they need, how they are run, where they leave files."""

from __future__ import annotations

import importlib.util
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_SOURCES = Path(__file__).parent / "programs"


class Program(NamedTuple):
    """One program; ``{0}``, ``{1}`` in its command lines stand for the arguments that name its input."""

    name: str
    module: str
    """What must be installed."""
    commands: tuple[str, ...]
    """What a user runs: the words after ``python``."""
    traced: str
    """The program of the agreement check, in which everything happens in one process."""
    prepare: Callable[[Path, bool], list[str]]
    """Makes the input in a directory, a small one when asked, and returns the arguments."""
    ordered: bool = True
    """False when the lines of the output come in any order."""

    def is_installed(self) -> bool:
        """Return whether this interpreter has the module."""
        return importlib.util.find_spec(self.module) is not None

    def command_lines(self, arguments: list[str]) -> list[list[str]]:
        """Return the words of each command."""
        return [_words(command, arguments) for command in self.commands]

    def traced_line(self, arguments: list[str]) -> list[str]:
        """Return the words of the program of the agreement check."""
        return _words(self.traced, arguments)


def _words(command: str, arguments: list[str]) -> list[str]:
    words = [word.format(*arguments) for word in command.split()]
    return [str(_SOURCES / word) if (_SOURCES / word).is_file() else word for word in words]


def _black_tree(directory: Path, smoke: bool) -> list[str]:
    specification = importlib.util.find_spec("black")
    assert specification is not None and specification.origin is not None
    source = Path(specification.origin).parent
    tree = directory / "tree"
    if smoke:
        tree.mkdir()
        for name in ("brackets.py", "cache.py", "comments.py"):
            shutil.copy(source / name, tree)
    else:
        for package in ("black", "blackd", "blib2to3"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source.parent / package, tree / package, ignore=ignored)
    return [str(tree)]


_DJANGO_APP = {
    "models.py": """
from django.db import models

class Article(models.Model):
    name = models.CharField(max_length=40)
    price = models.DecimalField(max_digits=8, decimal_places=2)
""",
    "views.py": """
from django.http import JsonResponse
from .models import Article

def articles(request):
    for number in range(int(request.GET["count"])):
        Article.objects.create(name=f"article {number}", price=number)
    found = Article.objects.filter(price__gte=10).order_by("-price")
    return JsonResponse({"articles": [[article.name, str(article.price)] for article in found]})
""",
    "migrations/__init__.py": "",
    "migrations/0001_initial.py": """
from django.db import migrations, models

class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Article", [
        ("id", models.BigAutoField(auto_created=True, primary_key=True)),
        ("name", models.CharField(max_length=40)),
        ("price", models.DecimalField(max_digits=8, decimal_places=2)),
    ])]
""",
}


def _django_project(directory: Path, smoke: bool) -> list[str]:
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", directory], check=True)
    subprocess.run([sys.executable, "manage.py", "startapp", "stock"], check=True, cwd=directory)
    for name, text in _DJANGO_APP.items():
        (directory / "stock" / name).write_text(text)
    settings = directory / "shop" / "settings.py"
    text = settings.read_text()
    settings.write_text(f"""{text}
INSTALLED_APPS.append("stock")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES["default"]["NAME"] = ":memory:"
ALLOWED_HOSTS = ["testserver"]
""")
    (directory / "shop" / "urls.py").write_text("""
from django.urls import path
from stock.views import articles
urlpatterns = [path("articles/", articles)]
""")
    return [str(directory)]


def _csv(directory: Path, smoke: bool) -> list[str]:
    wanted = 1_000_000 if smoke else 100_000_000
    choose = random.Random(20260501)
    cities = [f"City {number:03}" for number in range(200)]
    path = directory / "rows.csv"
    written = 0
    with path.open("w") as file:
        file.write("name,city,kind,amount,weight\n")
        while written < wanted:
            name = f"customer {choose.randrange(50_000):05}"
            row = f"{name},{choose.choice(cities)},{choose.randrange(9)},{choose.randrange(10**6)},{choose.random()}\n"
            written += file.write(row)
    return [str(path)]


def _integrals(directory: Path, smoke: bool) -> list[str]:
    return ["2" if smoke else "8"]


def _wheel(directory: Path, smoke: bool) -> list[str]:
    """Write a wheel by hand: building one would need an index."""
    path = directory / "parcel-1.0-py3-none-any.whl"
    files = {
        f"parcel/module_{number}.py": f"VALUES = {list(range(number, number + 500))}\n"
        for number in range(20 if smoke else 300)
    }
    files["parcel/__init__.py"] = ""
    files["parcel-1.0.dist-info/METADATA"] = "Metadata-Version: 2.1\nName: parcel\nVersion: 1.0\n"
    files["parcel-1.0.dist-info/WHEEL"] = (
        "Wheel-Version: 1.0\nGenerator: check\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files["parcel-1.0.dist-info/RECORD"] = "".join(f"{name},,\n" for name in files)
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(zipfile.ZipInfo(name), text)
    return [str(path), str(directory / "installed")]


PROGRAMS = (
    Program(
        "black",
        "black",
        ("-m black --line-length 60 --workers 2 {0}",),
        "black_tree.py {0}",
        _black_tree,
        ordered=False,
    ),
    Program(
        "django",
        "django",
        ("manage.py check", "django_request.py {0}"),
        "django_request.py {0}",
        _django_project,
    ),
    Program("pandas", "pandas", ("pandas_group.py {0}",), "pandas_group.py {0}", _csv),
    Program("sympy", "sympy", ("sympy_integrate.py {0}",), "sympy_integrate.py {0}", _integrals),
    Program(
        "pip",
        "pip",
        ("-m pip install --no-index --no-deps --disable-pip-version-check --no-compile --target {1} {0}",),
        "pip_install.py {0} {1}",
        _wheel,
    ),
)
