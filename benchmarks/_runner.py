"""One runner for `benchmarks` and `proofs`: find the files, run each, print a line per claim."""

import pkgutil
import subprocess
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ._claim import Claim
from ._docs import DOCS, keep_lines, rewrite_tables
from ._measure import own_peak_mb

ClaimsOf = Callable[[ModuleType, Namespace], Iterator[Claim]]


def names_in(package: ModuleType) -> list[str]:
    """Every file of the package that measures something."""
    return sorted(m.name for m in pkgutil.iter_modules(package.__path__) if not m.name.startswith("_"))


def main(package: ModuleType, parser: ArgumentParser, claims_of: ClaimsOf, argv: list[str]) -> int:
    """Run what is named on the command line, by default everything."""
    known = names_in(package)
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"default: all; one or more of {', '.join(known)}"
    )
    parser.add_argument("--list", action="store_true", help="say what there is and stop")
    parser.add_argument(
        "--save", action="store_true", help="keep the lines in docs/claims and renew the tables of the docs"
    )
    options = parser.parse_args(argv)
    if wrong := [name for name in options.names if name not in known]:
        parser.error(f"there is no {', '.join(wrong)}; known: {', '.join(known)}")
    names = options.names or known
    if options.list:
        for name in names:
            print(f"{name:12} {_headline(import_module(f'{package.__name__}.{name}'))}")
        return 0
    if len(names) != 1:
        return _each_in_its_own_process(package, names, [a for a in argv if a not in names])
    lines = list(_print_claims(claims_of(import_module(f"{package.__name__}.{names[0]}"), options)))
    if options.save:
        keep_lines(names[0], lines)
        rewrite_tables(DOCS)
    return 0


def _print_claims(claims: Iterator[Claim]) -> Iterator[str]:
    start = time.perf_counter()
    for claim in claims:
        line = claim.measured_with(time.perf_counter() - start, own_peak_mb()).to_json()
        print(line, flush=True)
        yield line
        start = time.perf_counter()


def _each_in_its_own_process(package: ModuleType, names: list[str], options: list[str]) -> int:
    """Memory and warm caches of one must not count for the next."""
    root = Path(package.__path__[0]).parent
    codes = []
    for name in names:
        print(f"{package.__name__}: {name}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", package.__name__, name, *options]
        codes.append(subprocess.run(command, cwd=root, check=False).returncode)
    return max(codes, default=0)


def _headline(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().splitlines()[0]
