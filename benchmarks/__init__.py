"""Speed and memory of the hot functions: `python -m benchmarks [NAME ...]`, one JSON line per claim.

A benchmark is one file here with a docstring and `claims()`, which yields what it measured. Where it compares two
things it measures both in the same run, in random order, on the same input.
"""
