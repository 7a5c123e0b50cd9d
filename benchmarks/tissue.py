"""Tissue: cells, membranes and nuclei of a volume, against the nearest centre of every voxel by a k-d tree."""

from collections.abc import Iterator

import numpy as np
from scipy.spatial import cKDTree

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.labels.base import registry

from ._claim import Claim
from ._measure import compare, repeat, seconds_of

GRID = Grid(shape_px=(96, 256, 256), voxel_um=(1.0, 0.5, 0.5))
TISSUE = {
    "kind": "tissue",
    "radius_um": {"median": 5.0, "log_sd": 0.12},
    "membrane_um": 0.8,
    "nucleus_ratio": 0.3,
}
A_LARGE_PX, A_LARGE_UM = (64, 512, 512), (2.0, 0.5, 0.5)


def claims() -> Iterator[Claim]:
    make = registry.parse(TISSUE).build(GRID)
    scene = make(Key.from_seed(0))
    points = np.indices(GRID.shape_px).reshape(3, -1).T
    points = (points + 0.5) * GRID.voxel_um
    drawn = compare(scene.draw, lambda: cKDTree(scene.objects.centre_um).query(points), n_repeats=3)
    n_voxels = GRID.n_voxels / 1e6
    yield Claim(
        f"tissue: million voxels of {len(scene.objects)} cells drawn per second and core, with sizes and wavy walls; "
        "reference: the nearest centre of each voxel by scipy.spatial.cKDTree",
        value=n_voxels / drawn.ours_s,
        reference=n_voxels / drawn.other_s,
        ratio=drawn.ratio,
        interval=drawn.interval,
    )
    for name, part in scene.parts.items():
        seconds, (low, high) = repeat(part.draw, n_repeats=5)
        yield Claim(
            f"tissue: million voxels of {name} drawn per second and core",
            value=n_voxels / seconds,
            interval=(n_voxels / high, n_voxels / low),
        )
    build = registry.parse(TISSUE).build(Grid(shape_px=A_LARGE_PX, voxel_um=A_LARGE_UM))
    found: dict[str, int] = {}
    seconds = seconds_of(lambda: found.update(n=len(build(Key.from_seed(1)).objects)))
    yield Claim(
        f"tissue: seconds for the cells of {' x '.join(map(str, A_LARGE_PX))} voxels with walls and nuclei, none "
        f"drawn: {found['n']} cells",
        value=seconds,
        direction="at most",
        seconds=seconds,
    )
