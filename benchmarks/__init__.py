"""Benchmarks: our programs next to those of others, on equal work; see README.md in this folder."""
