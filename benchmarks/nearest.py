"""Nearest label and its distance, in a volume and in an image, against SciPy's distance transform with indices."""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import distance_transform_edt

from cellsynth.core.grid import Grid
from cellsynth.core.nearest import nearest_labels

from ._claim import Claim
from ._measure import compare
from .draw import crowd

VOXEL_UM = (1.5, 0.7, 0.7)


def claims() -> Iterator[Claim]:
    for shape, n, target in (((96, 256, 256), 1_000, 5), ((1, 1024, 1024), 500, None)):
        labels = crowd(Grid(shape_px=shape, voxel_um=(1.0, 1.0, 1.0)), n).draw()
        labels, voxel_um = (labels, VOXEL_UM) if shape[0] > 1 else (labels[0], VOXEL_UM[1:])
        ours, distance = nearest_labels(labels, voxel_um)
        theirs, expected = nearest_by_scipy(labels, voxel_um)
        if not np.array_equal(distance, expected) or np.mean(ours == theirs) < 0.99:
            raise AssertionError("the two sides differ by more than ties")
        timed = compare(
            lambda a=labels, v=voxel_um: nearest_labels(a, v),
            lambda a=labels, v=voxel_um: nearest_by_scipy(a, v),
            n_repeats=5,
        )
        yield Claim(
            f"nearest: nearest labels and distances of {'x'.join(map(str, labels.shape))} per second and core, against "
            "SciPy's transform with indices",
            value=1 / timed.ours_s,
            reference=1 / timed.other_s,
            ratio=timed.ratio,
            interval=timed.interval,
            target=target,
        )


def nearest_by_scipy(labels: np.ndarray, voxel_um: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    distance, index = distance_transform_edt(labels == 0, sampling=voxel_um, return_indices=True)
    return labels[tuple(index)], distance.astype(np.float32)
