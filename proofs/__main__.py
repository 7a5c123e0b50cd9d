"""`python -m proofs [NAME ...] [--data DIR]`."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import proofs
from benchmarks._claim import Claim
from benchmarks._runner import main

DATA = Path(__file__).parent.parent.parent / "shared" / "data"


def claims_of(proof: ModuleType, options: Namespace) -> Iterator[Claim]:
    """What a proof measures; a claim without a value where its data is absent."""
    absent = [name for name in proof.NEEDS if not (options.data / name).is_dir()]
    if not absent:
        yield from proof.claims(options.data)
        return
    name = proof.__name__.split(".")[-1]
    print(
        f"{name} needs {', '.join(str(options.data / n) for n in absent)}, which is not there; "
        "name a folder of the same layout with --data DIR",
        file=sys.stderr,
    )
    yield Claim(f"{name}: not measured, its data is absent", value=None, seconds=0.0)


if __name__ == "__main__":  # worker processes import this file under another name
    parser = ArgumentParser(
        prog="python -m proofs", description="Measure quality on real images; one JSON line per claim."
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DATA,
        metavar="DIR",
        help="folder of annotated image sets (default: %(default)s)",
    )
    sys.exit(main(proofs, parser, claims_of, sys.argv[1:]))
