"""Files for flame graphs, read by speedscope's own importers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memtrace.exchange import chrome, collapsed, dhat
from memtrace.exchange.records import Records, function_name

Convert = Callable[..., Path]
FORMATS = (".speedscope.json", ".collapsed", ".heapprofile")


@pytest.mark.once
def test_speedscope_reads_the_totals(
    file: Path, records: Records, convert: Convert, run_node: Callable[..., Any]
) -> None:
    outputs = {suffix: convert(file, suffix) for suffix in FORMATS}
    blocks = convert(file, ".txt", "--to", "collapsed-blocks")
    if not records.records:
        return  # it takes no empty profiles, but those in its own format
    found = run_node("speedscope_import.cjs", *outputs.values(), blocks)
    for suffix, output in outputs.items():
        profile = found[output.name][0]
        assert (profile["total"], profile["covered"]) == (records.size, records.size), suffix
    assert [each["total"] for each in found["out.speedscope.json"]] == [records.size, records.blocks]
    assert [each["unit"] for each in found["out.speedscope.json"]] == ["bytes", "none"]
    assert found["out.txt"][0]["total"] == records.blocks
    expected: Counter[str] = Counter()
    for record in records.records:
        names = [f"{function_name(place)} ({place.filename}:{place.lineno})" for place in record.frames]
        if record.size:
            expected[";".join(names).encode("utf-8", "backslashreplace").decode()] += record.size
    assert found["out.speedscope.json"][0]["weights"] == expected


def test_collapsed_is_a_line_for_each_stack(records: Records) -> None:
    lines = collapsed.encode_bytes(records, "").decode().splitlines()
    assert all(line.isprintable() for line in lines)
    parts = [line.rpartition(" ") for line in lines]
    assert sum(int(weight) for _, _, weight in parts) == records.size
    depths = {len(stack.split(";")) for stack, _, _ in parts}
    assert depths == {len(record.frames) for record in records.records if record.blocks}


def test_heap_profile_of_chrome(records: Records) -> None:
    text = chrome.encode(records, "").decode()
    # Deeper than json.loads() goes: the nesting is looked at by itself.
    assert text.count("{") == text.count("}")
    samples = json.loads(text[text.rindex('"samples": ') + len('"samples": ') : -1])
    assert sum(sample["size"] for sample in samples) == records.size
    if max((len(record.frames) for record in records.records), default=0) < 100:
        document = json.loads(text)
        pending, total, numbers = [document["head"]], 0, []
        while pending:
            node = pending.pop()
            total += node["selfSize"]
            numbers.append(node["id"])
            assert set(node["callFrame"]) == {"functionName", "scriptId", "url", "lineNumber", "columnNumber"}
            pending += node["children"]
        assert total == records.size
        assert sorted(numbers) == list(range(1, len(numbers) + 1))


def test_dhat(records: Records) -> None:
    document = json.loads(dhat.encode(records, "app.mtrace"))
    # As Valgrind's documentation and the Firefox Profiler's importer have it.
    assert document["dhatFileVersion"] == 2
    assert {"mode", "verb", "bklt", "bkacc", "cmd", "pid", "te", "tu", "Mtu"} <= set(document)
    points = document["pps"]
    for size, blocks in (("mb", "mbk"), ("gb", "gbk"), ("eb", "ebk")):
        assert sum(each[size] for each in points) == records.size
        assert sum(each[blocks] for each in points) == records.blocks
    churn = [record.churn for record in records.records if record.churn]
    allocated = sum(each.allocated_size for each in churn) if records.has_churn else records.size
    assert sum(each["tb"] for each in points) == allocated
    assert document["ftbl"][0] == "[root]"
    assert all(0 < frame < len(document["ftbl"]) for each in points for frame in each["fs"])
    assert all(len(each.splitlines()) == 1 for each in document["ftbl"])
