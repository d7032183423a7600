"""Worker: what one workload costs a tracer in memory, by the tracer's own word and as RSS."""

import gc
from pathlib import Path

from benchmarks.harness import procmem
from benchmarks.harness.fingerprint import fingerprint
from benchmarks.harness.modes import MODES, Evidence
from benchmarks.harness.process import read_request, write_report
from benchmarks.programs import own


def main() -> None:
    """Run a workload under a mode; report growth from its start to its end, result still alive."""
    request = read_request()
    mode = MODES[request["mode"]]
    workload, scale = own.WORKLOADS[request["workload"]], request["scale"]
    mode.prepare(Path(request["scratch"]))
    gc.collect()
    resident_before = procmem.resident_kib()
    mode.start()
    before = mode.evidence()
    held = own.at_depth(own.CALL_DEPTH, lambda: workload(scale))
    resident = procmem.resident_kib() - resident_before
    after = mode.evidence()
    mode.stop()
    write_report(
        request,
        {
            "resident_bytes": resident * 1024,
            "tracer_bytes": after.get("tracer_bytes", 0) - before.get("tracer_bytes", 0),
            "block_table_bytes": _growth(before, after, "block_table_bytes"),
            "blocks": _growth(before, after, "blocks"),
            "frames": _growth(before, after, "nodes", "records"),
            "doubts": mode.doubts(after),
            "outcome": fingerprint(held),
        },
    )


def _growth(before: Evidence, after: Evidence, *nouns: str) -> int | None:
    """Return how many more there are in all, or None when this tracer does not count them."""
    if "status" not in after:
        return None
    growth: int = sum(after["status"][noun] - before["status"][noun] for noun in nouns)
    return growth


if __name__ == "__main__":
    main()
