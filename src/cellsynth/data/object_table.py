"""The table of the simulated objects of a sample: what they are, and what shows of them."""

from itertools import pairwise
from typing import Any

import numpy as np

from ..core.scene import Scene
from ..core.tally import Tally


def object_columns(scene: Scene, tally: Tally, channels: tuple[str, ...]) -> dict[str, Any]:
    """Columns of the table, a row per object in the order of the labels.

    | column | is |
    |---|---|
    | `label`, `class_id`, `class_name` | its number in the labels, and its kind |
    | `centre_*_um`, `semi_axis_*_um` | the ellipsoid behind it |
    | `orientation_*` | the unit vector along its longest axis |
    | `intensity` | its brightness; 1 is typical |
    | `n_voxels`, `volume_um3` or `area_um2`, `centroid_*_um` | what shows of it; the centroid of nothing is NaN |
    | `depth_um` | in a volume: of its centre below the nearest surface of the tissue, or below the top of the grid |
    | `mean_*` | mean grey value of its voxels, per channel |
    | `n_touching`, `touching` | objects that it shares a face of a voxel with: how many, and their labels |
    """
    grid, objects = scene.grid, scene.objects
    names, flat = "zyx"[-grid.ndim :], 3 - grid.ndim
    n = len(objects)
    row = tally.labels - 1
    n_voxels = np.zeros(n, np.int64)
    n_voxels[row] = tally.n_voxels
    columns = objects.to_columns()
    if scene.class_names:
        columns["class_name"] = [scene.class_names[c - 1] for c in objects.class_id.tolist()]
    columns["n_voxels"] = n_voxels
    columns["volume_um3" if grid.ndim == 3 else "area_um2"] = n_voxels * np.prod(grid.voxel_um)
    for i, axis in enumerate(names):
        centroid = np.full(n, np.nan)
        centroid[row] = (tally.place_px[:, flat + i] / tally.n_voxels + 0.5) * grid.voxel_um[i]
        columns[f"centroid_{axis}_um"] = centroid
    if grid.ndim == 3:
        columns["depth_um"] = (
            objects.centre_um[:, 0].copy() if scene.tissue is None else scene.tissue.at(objects.centre_um)
        )
    for c, name in enumerate(channels):
        mean = np.full(n, np.nan)
        mean[row] = tally.grey[:, c] / tally.n_voxels
        columns[f"mean_{name}"] = mean
    both = np.concatenate([tally.touching, tally.touching[:, ::-1]])
    both = both[np.lexsort((both[:, 1], both[:, 0]))]
    ends = np.searchsorted(both[:, 0], np.arange(1, n + 2))
    columns["n_touching"] = np.diff(ends)
    columns["touching"] = [both[a:b, 1].tolist() for a, b in pairwise(ends)]
    return columns
