"""Tables with a row for each record: CSV, JSON, Arrow IPC and Parquet.

The columns, of which Arrow's and Parquet's are typed and CSV's and JSON's are their text:

- ``size``, ``count``: live bytes and blocks; ``size_error``, ``count_error``: their standard errors, 0 without samples.
- ``allocated_size``, ``allocated_count``, ``freed_size``, ``freed_count``, ``temporary_size``, ``temporary_count``: what
  has come and gone; null where that is not known.
- ``domain``, ``generation``, ``thread``, ``label``, ``type``: as statistics show them; null where they say nothing.
- ``filename``, ``lineno``, ``function``: of the frame that allocated; the function is null when it is not known.
- ``traceback``: all frames, oldest first; in Arrow and Parquet a list of ``filename``, ``lineno`` and ``function``, in CSV
  one text with semicolons between the frames, in JSON ``stack``, a list of places in the document's ``frames``.

Records with nothing live are there for what has come and gone.
"""

from __future__ import annotations

import csv
import io
import json
from importlib import import_module
from typing import Any

from memtrace.exchange.formats import MissingLibraryError
from memtrace.exchange.records import Churn, Place, Record, Records, encodable, frame_name, shown

_AMOUNTS = ("size", "count", "size_error", "count_error")
_TAGS = ("domain", "generation", "thread", "label", "type")
_TOP = ("filename", "lineno", "function")
JSON_VERSION = 1
"""Of the schema of encode_json(): rises when a reader of the one before would be wrong."""


def encode_csv(records: Records, title: str) -> bytes:
    """Return the table as CSV in UTF-8, with a line of column names; null is an empty cell."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow((*_AMOUNTS, *Churn._fields, *_TAGS, *_TOP, "traceback"))
    for record in records.records:
        traceback = ";".join(frame_name(place).replace(";", ":") for place in record.frames)
        writer.writerow((*_values(records, record), traceback))
    return text.getvalue().encode("utf-8", "backslashreplace")


def encode_json(records: Records, title: str) -> bytes:
    """Return the table as a JSON document in ASCII.

    ``format`` is ``memtrace records``, ``version`` JSON_VERSION; ``size`` and ``count`` are the sums of all records.
    ``frames`` are ``filename``, ``lineno``, ``function``, ``end_lineno``, ``colno`` and ``end_colno``, of which all but the
    first two may be null; a record's ``stack`` are indexes of them. Records leave out members that are null.
    """
    frames: dict[Place, int] = {}
    names = (*_AMOUNTS, *Churn._fields, *_TAGS)
    rows = []
    for record in records.records:
        present = zip(names, _values(records, record), strict=False)
        row: dict[str, Any] = {name: value for name, value in present if value is not None}
        row["stack"] = [frames.setdefault(place, len(frames)) for place in record.frames]
        rows.append(row)
    document = {
        "format": "memtrace records",
        "version": JSON_VERSION,
        "source": title,
        "size": records.size,
        "count": records.blocks,
        "dropped": records.dropped,
        "sample_interval": records.sample_interval,
        "traceback_limit": records.traceback_limit,
        "seconds": records.seconds if records.has_churn else None,
        "frames": [place._asdict() for place in frames],
        "records": rows,
    }
    return json.dumps(document).encode() + b"\n"


def encode_arrow(records: Records, title: str) -> bytes:
    """Return the table as an Arrow IPC file. Raises MissingLibraryError without pyarrow."""
    arrow = _pyarrow("pyarrow")
    table = _arrow_table(arrow, records, title)
    sink = io.BytesIO()
    with _pyarrow("pyarrow.ipc").new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def encode_parquet(records: Records, title: str) -> bytes:
    """Return the table as a Parquet file. Raises MissingLibraryError without pyarrow."""
    table = _arrow_table(_pyarrow("pyarrow"), records, title)
    sink = io.BytesIO()
    _pyarrow("pyarrow.parquet").write_table(table, sink)
    return sink.getvalue()


def _values(records: Records, record: Record) -> tuple[Any, ...]:
    """Return the columns but the last, the frame that allocated being the end of the traceback."""
    place = record.frames[-1]
    return (
        *(record.size, record.blocks, record.size_error, record.blocks_error),
        *(record.churn or (None,) * len(Churn._fields)),
        *(shown(records, record, tag) for tag in _TAGS),
        *(place.filename, place.lineno, place.function),
    )


def _pyarrow(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise MissingLibraryError("pyarrow", "arrow") from None


def _arrow_table(arrow: Any, records: Records, title: str) -> Any:
    text = arrow.dictionary(arrow.int32(), arrow.string())
    frame = arrow.struct([("filename", arrow.string()), ("lineno", arrow.int32()), ("function", arrow.string())])
    types = {
        **dict.fromkeys(("size", "count"), arrow.int64()),
        **dict.fromkeys(("size_error", "count_error"), arrow.float64()),
        **dict.fromkeys(Churn._fields, arrow.int64()),
        **dict.fromkeys(_TAGS, text),
        "filename": text,
        "lineno": arrow.int32(),
        "function": text,
    }
    rows = [_values(records, record) for record in records.records]
    columns = {
        name: arrow.array([_encodable(row[i]) for row in rows], type=kind)
        for i, (name, kind) in enumerate(types.items())
    }
    made: dict[Place, dict[str, Any]] = {}
    stacks = [[made.setdefault(place, _frame(place)) for place in record.frames] for record in records.records]
    columns["traceback"] = arrow.array(stacks, type=arrow.list_(frame))
    about = {
        "memtrace.source": encodable(title),
        "memtrace.dropped": str(records.dropped),
        "memtrace.sample_interval": str(records.sample_interval or 0),
    }
    return arrow.table(columns).replace_schema_metadata(about)


def _encodable(value: Any) -> Any:
    return encodable(value) if isinstance(value, str) else value


def _frame(place: Place) -> dict[str, Any]:
    return {
        "filename": encodable(place.filename),
        "lineno": place.lineno,
        "function": None if place.function is None else encodable(place.function),
    }
