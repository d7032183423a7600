"""The programs whose overhead is measured: pyperformance's and five workloads of our own."""
