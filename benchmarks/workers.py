"""Two worker processes against one: the wall time of a whole `cellsynth synthesize`, its start included."""

import tempfile
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from ._claim import Claim
from ._measure import cellsynth, compare, run

N_IMAGES = 600
RECIPE = f"""\
name: workers
n_samples: {N_IMAGES}
grid: {{shape_px: [512, 512], voxel_um: [1.0, 1.0]}}
labels: {{kind: ellipsoids, n_cells: 100, radius_um: [8.0, 14.0]}}
"""


def claims() -> Iterator[Claim]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        recipe = folder / "workers.yaml"
        recipe.write_text(RECIPE)
        peaks: list[float] = []
        outputs = count()

        def synthesize_with(n_workers: int) -> Callable[[], None]:
            def synthesize() -> None:
                out = folder / f"out_{next(outputs)}"
                made = run(
                    cellsynth("synthesize", str(recipe), str(out), f"--workers={n_workers}", "--quiet")
                )
                peaks.append(made.peak_mb)

            return synthesize

        compared = compare(synthesize_with(2), synthesize_with(1))
    yield Claim(
        "workers: images of 512x512 written per second by 2 processes, against 1",
        value=N_IMAGES / compared.ours_s,
        reference=N_IMAGES / compared.other_s,
        ratio=compared.ratio,
        interval=compared.interval,
        target=1.7,
        peak_mb=max(peaks),
    )
