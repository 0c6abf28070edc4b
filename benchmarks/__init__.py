"""Benchmarks: our programs beside those of others, on equal work; see README.md in this folder."""
