"""Benchmarks. Each runs the thing and its yardstick in turn and prints the ratio."""
