"""Tables, read by pyarrow, DuckDB and the standard library."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

import memtrace
from memtrace.exchange.records import Churn, Records, shown

Convert = Callable[..., Path]


def total(records: Records, name: str) -> int:
    return sum(getattr(record.churn, name) or 0 for record in records.records if record.churn)


@pytest.mark.once
def test_parquet_by_pyarrow(file: Path, records: Records, convert: Convert) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    check_arrow(parquet.read_table(convert(file, ".parquet")), records)


@pytest.mark.once
def test_arrow_by_pyarrow(file: Path, records: Records, convert: Convert) -> None:
    ipc = pytest.importorskip("pyarrow.ipc", reason="pyarrow is not installed")
    check_arrow(ipc.open_file(convert(file, ".arrow")).read_all(), records)


def check_arrow(table: Any, records: Records) -> None:
    table.validate(full=True)
    rows = table.to_pylist()
    assert len(rows) == len(records.records)
    assert (sum(row["size"] for row in rows), sum(row["count"] for row in rows)) == (records.size, records.blocks)
    for name in Churn._fields:
        assert sum(row[name] or 0 for row in rows) == total(records, name)
    for row, record in zip(rows, records.records, strict=True):
        assert [frame["lineno"] for frame in row["traceback"]] == [place.lineno for place in record.frames]
        assert row["lineno"] == row["traceback"][-1]["lineno"]
        for tag in ("domain", "generation", "thread", "label", "type"):
            assert row[tag] == shown(records, record, tag)
    assert table.schema.metadata[b"memtrace.dropped"] == str(records.dropped).encode()


@pytest.mark.once
def test_parquet_and_csv_by_duckdb(file: Path, snapshot: memtrace.Snapshot, records: Records, convert: Convert) -> None:
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    by_label = "select label, sum(size)::bigint, sum(count)::bigint from '{}' group by label"
    parquet = convert(file, ".parquet")
    found = {row[0]: row[1:] for row in duckdb.sql(by_label.format(parquet)).fetchall()}
    if "label" in records.tags:
        expected = {str(each.key): each.size for each in snapshot.statistics("label")}
        assert {key or "no label": size for key, (size, _) in found.items()} == expected
    sums = "select coalesce(sum(size), 0)::bigint, coalesce(sum(count), 0)::bigint from {}"
    assert duckdb.sql(sums.format(f"'{parquet}'")).fetchall()[0] == (records.size, records.blocks)
    frames = duckdb.sql(f"select sum(len(traceback)) from '{parquet}'").fetchall()[0][0]
    assert (frames or 0) == sum(len(record.frames) for record in records.records)
    if "sampled" in file.name or "live" in file.name:
        table = convert(file, ".csv")
        assert duckdb.sql(sums.format(f"read_csv('{table}')")).fetchall()[0] == (records.size, records.blocks)


def test_csv(file: Path, records: Records, convert: Convert) -> None:
    with convert(file, ".csv").open(newline="", encoding="utf-8") as text:
        rows = list(csv.DictReader(text))
    assert len(rows) == len(records.records)
    assert sum(int(row["size"]) for row in rows) == records.size
    assert sum(int(row["count"]) for row in rows) == records.blocks
    assert sum(int(row["freed_size"] or 0) for row in rows) == total(records, "freed_size")
    for row, record in zip(rows, records.records, strict=True):
        assert row["thread"] == (shown(records, record, "thread") or "")
        assert len(row["traceback"].split(";")) == len(record.frames)


def test_json(file: Path, records: Records, convert: Convert) -> None:
    document = json.loads(convert(file, ".json").read_text("ascii"))
    assert (document["format"], document["version"], document["source"]) == ("memtrace records", 1, file.name)
    assert (document["size"], document["count"]) == (records.size, records.blocks)
    assert document["sample_interval"] == records.sample_interval
    for row, record in zip(document["records"], records.records, strict=True):
        assert (row["size"], row["count"]) == (record.size, record.blocks)
        assert row.get("label") == shown(records, record, "label")
        frames = [document["frames"][place] for place in row["stack"]]
        assert [tuple(frame.values()) for frame in frames] == [tuple(place) for place in record.frames]


@pytest.mark.parametrize("name", ["arrow", "parquet"])
def test_without_pyarrow(
    name: str, live: Path, invoke: Callable[..., Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    result = invoke("convert", live, "-o", tmp_path / "out", "--to", name)
    assert result.exit_code == 1
    message = f"Error: the format {name} needs pyarrow: pip install 'memtrace-python[arrow]'\n"
    assert result.stderr == message
    assert list(tmp_path.iterdir()) == []
