"""What the three benchmarks share: modes, fresh processes, ratios, checks and reports."""
