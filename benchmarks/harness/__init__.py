"""What the benchmarks share: modes, fresh processes, ratios, checks and reports."""
