"""Worker: snapshots with types of one program, timed, and whether they leave the program as it was."""

import gc
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Final

import memtrace
from benchmarks.harness.process import read_request, write_report

NFRAME: Final = 25
PYTHON: Final = memtrace.DomainFilter(True, 0)


class Plain:
    """An object with attributes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.name = f"object {number}"


class Slots:
    """An object with slots."""

    __slots__ = ("__weakref__", "number")


def make_objects(count: int) -> list[Any]:
    """Return *count* objects, half of them those of our classes and half what these refer to."""
    kept: list[Any] = [Plain(number) for number in range(count // 4)]
    kept += [Slots() for _ in range(count // 4)]
    kept.append([[number] for number in range(count // 4)])
    return kept


def make_frames_and_models(count: int) -> list[Any]:
    """Return what a program holds that has pandas and Django at work; *count* says how many rows."""
    import django
    import numpy
    import pandas
    from django.conf import settings

    apps = ("contenttypes", "auth", "admin", "sessions", "messages")
    settings.configure(
        INSTALLED_APPS=[f"django.contrib.{app}" for app in apps],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
        SECRET_KEY="benchmark",
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    User.objects.bulk_create([User(username=f"user {number}") for number in range(count // 500)])
    frame = pandas.DataFrame(
        {"number": numpy.arange(count // 10), "text": [f"text {number}" for number in range(count // 10)]}
    )
    return [*User.objects.all(), frame, frame.groupby(frame.number % 10).number.sum()]


PROGRAMS: Final[dict[str, Callable[[int], list[Any]]]] = {
    "objects": make_objects,
    "pandas and Django": make_frames_and_models,
}


def main() -> None:
    """Run the program under memtrace, take the snapshots, and report."""
    request = read_request()
    memtrace.start(NFRAME)
    kept = PROGRAMS[request["program"]](request["objects"])
    gc.collect()
    before = _state_of(kept)
    _, plain_seconds = _timed(memtrace.take_snapshot)
    snapshot, typed_seconds = _timed(lambda: memtrace.take_snapshot(types=True))
    rows, statistics_seconds = _timed(lambda: snapshot.filter_traces([PYTHON]).statistics("type"))
    everything = snapshot.statistics("type")
    chosen = next(row for row in everything if not str(row.key).startswith("<"))
    objects, objects_seconds = _timed(lambda: snapshot.objects(chosen, 1000))
    doubts = [] if objects else ["no objects behind the largest row"]
    del objects
    if _state_of(kept) != before:
        doubts.append("the snapshot has changed reference counts or the collector's state")
    doubts += _doubts_of_counts(request, {str(row.key): row.count for row in rows})
    references = [weakref.ref(obj) for obj in kept if isinstance(obj, Slots)]
    kept.clear()
    if any(reference() is not None for reference in references):
        doubts.append("objects live on")
    total = sum(row.size for row in rows)
    write_report(
        request,
        {
            "blocks": sum(row.count for row in everything),
            "share": sum(row.size for row in rows if row.key != "<not an object>") / total,
            "plain_seconds": plain_seconds,
            "typed_seconds": typed_seconds,
            "statistics_seconds": statistics_seconds,
            "objects_seconds": objects_seconds,
            "doubts": doubts,
        },
    )


def _timed(function: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    result = function()
    return result, time.perf_counter() - begin


def _state_of(kept: list[Any]) -> list[object]:
    return [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), *map(sys.getrefcount, _some(kept))]


def _some(kept: list[Any]) -> Iterator[Any]:
    yield from kept[:: max(1, len(kept) // 1000)]
    yield from (int, dict, list, Plain, Slots)


def _doubts_of_counts(request: dict[str, Any], counts: dict[str, int]) -> list[str]:
    if request["program"] != "objects":
        return []
    expected = request["objects"] // 4
    found = counts.get(f"{Slots.__module__}.Slots", 0)
    return [] if found == expected else [f"{found} objects with slots, not {expected}"]


if __name__ == "__main__":
    main()
