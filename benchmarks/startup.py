"""Time to the first answer: `import cellsynth` and `cellsynth --help` in fresh processes."""

from collections.abc import Iterator

import numpy as np

from ._claim import Claim
from ._measure import Ran, cellsynth, interval_of_median, python, run

N_STARTS = 9
IMPORT = (
    "import sys, time; start = time.perf_counter(); import cellsynth; "
    "print(time.perf_counter() - start, 'torch' in sys.modules)"
)


def claims() -> Iterator[Claim]:
    starts = [run(python("-c", IMPORT)) for _ in range(N_STARTS + 1)][
        1:
    ]  # the first one fills the disk cache
    seconds = [float(start.output.split()[0]) for start in starts]
    yield claim("startup: seconds of `import cellsynth`", seconds, starts, 0.3)
    loaded = sum(start.output.split()[1] == "True" for start in starts)
    yield Claim(
        "startup: `import cellsynth` imports torch, share of starts",
        loaded / N_STARTS,
        target=0,
        direction="at most",
    )
    helps = [run(cellsynth("--help")) for _ in range(N_STARTS + 1)][1:]
    yield claim("startup: seconds of `cellsynth --help`", [start.seconds for start in helps], helps, 1.0)


def claim(text: str, seconds: list[float], starts: list[Ran], target: float) -> Claim:
    return Claim(
        text,
        value=float(np.median(seconds)),
        interval=interval_of_median(seconds),
        target=target,
        direction="at most",
        peak_mb=max(start.peak_mb for start in starts),
    )
