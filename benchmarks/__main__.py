"""`python -m benchmarks [NAME ...]`."""

import sys
from argparse import ArgumentParser

import benchmarks

from ._measure import one_thread
from ._runner import main

if __name__ == "__main__":  # worker processes import this file under another name
    one_thread()  # claims are per core
    parser = ArgumentParser(
        prog="python -m benchmarks", description="Measure speed and memory; one JSON line per claim."
    )
    sys.exit(main(benchmarks, parser, lambda module, options: module.claims(), sys.argv[1:]))
