"""The whole main job on the packaged images: wall time and memory of `cellsynth demo` and all its processes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from ._claim import Claim
from ._measure import cellsynth, run


def claims() -> Iterator[Claim]:
    with tempfile.TemporaryDirectory() as folder:
        demo = run(cellsynth("demo", str(Path(folder) / "demo")))
    yield Claim(
        "demo: seconds of `cellsynth demo`",
        value=demo.seconds,
        target=180,
        direction="at most",
        peak_mb=demo.peak_mb,
    )
    yield Claim(
        "demo: largest resident memory of `cellsynth demo` with its workers, MB",
        value=demo.peak_mb,
        target=2000,
        direction="at most",
        seconds=demo.seconds,
        peak_mb=demo.peak_mb,
    )
