"""Worker: some threads that allocate side by side, under one mode, once."""

from pathlib import Path

from benchmarks import threads
from benchmarks.harness.modes import MODES
from benchmarks.harness.process import read_request, write_report
from benchmarks.programs import own


def main() -> None:
    """Run the workload of the request in its number of threads; report how many blocks all together replace a second."""
    request = read_request()
    mode, rounds = MODES[request["mode"]], request["rounds"]
    workers = [threads.WORKLOADS[request["workload"]]() for _ in range(request["threads"])]

    # The stack that a tracer sees is that of a program, not of a thread's first function.
    def at_depth(replace: threads.Loop) -> threads.Loop:
        return lambda rounds: own.at_depth(own.CALL_DEPTH, lambda: replace(rounds))

    loops = [at_depth(worker.replace) for worker in workers]
    mode.prepare(Path(request["scratch"]))
    mode.start()
    # The first blocks of each ring, and the tracer's tables for them.
    threads.run_side_by_side(loops, threads.RING)
    times = threads.run_side_by_side(loops, rounds)
    evidence = mode.evidence()
    evidence |= mode.stop()
    doubts = mode.doubts(evidence)
    held = len(workers) * threads.RING * 16
    if evidence.get("traced_peak", held) < held:
        doubts.append(f"traced at most {evidence['traced_peak']:,} bytes, {held:,} were held")
    for worker in workers:
        worker.free()
    # Threads that are never kept waiting have as much processor time as there was time.
    rates = {"wall": rounds * len(workers) / times.seconds, "cpu": rounds * len(workers) ** 2 / times.cpu_seconds}
    write_report(request, {"rates": rates, "doubts": doubts})


if __name__ == "__main__":
    main()
