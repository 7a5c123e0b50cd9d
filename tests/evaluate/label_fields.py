"""Random label fields whose two sides agree in part: shifted, split, merged, missing and invented objects."""

import numpy as np
from hypothesis import strategies as st

SPARSE_IDS = np.array([3, 4, 9, 255, 256, 65535, 65536, 70001, 2**24 + 1, 2**31 - 1])


def voronoi(rng: np.random.Generator, shape: tuple[int, ...], n_objects: int) -> np.ndarray:
    """Touching objects 1..n around random points, with background far from all of them; some may be hidden."""
    if n_objects == 0:
        return np.zeros(shape, np.int64)
    points = rng.uniform(0, shape, (n_objects, len(shape)))
    voxels = np.moveaxis(np.indices(shape), 0, -1)[..., None, :]
    distance = np.linalg.norm(voxels - points, axis=-1)
    reach = rng.uniform(1.5, 5, n_objects)
    owner = distance.argmin(axis=-1)
    return np.where(distance.min(axis=-1) < reach[owner], owner + 1, 0)


def changed(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Labels with some objects shifted, merged, split, removed, and one added."""
    shift = tuple(int(s) for s in rng.integers(-1, 2, labels.ndim))
    result = np.roll(labels, shift, axis=tuple(range(labels.ndim)))
    top = int(labels.max()) + 1
    for i in range(1, top):
        change = rng.random()
        if change < 0.1:
            result[result == i] = 0
        elif change < 0.2:
            result[result == i] = rng.integers(1, top)
        elif change < 0.35:
            half = np.indices(labels.shape)[rng.integers(labels.ndim)] < rng.integers(1, max(labels.shape))
            result[(result == i) & half] = top + i
    if rng.random() < 0.5:
        result[tuple(slice(0, s) for s in rng.integers(1, 4, labels.ndim))] = 2 * top + 1
    return result


def renamed(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Same objects under other ids, with gaps."""
    ids = np.unique(labels[labels > 0])
    new = rng.choice(2**20, len(ids), replace=False) + 1
    new[: min(len(ids), len(SPARSE_IDS))] = (
        rng.permutation(SPARSE_IDS)[: min(len(ids), len(SPARSE_IDS))] + 2**21
    )
    result = np.zeros(labels.shape, np.int64)
    for old, name in zip(ids, new, strict=True):
        result[labels == old] = name
    return result


def random_pair(seed: int, ndim: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Reference and prediction; either may be empty."""
    rng = np.random.default_rng(seed)
    shape = (17, 23) if ndim == 2 else (5, 9, 13)
    reference = voronoi(rng, shape, int(rng.integers(0, 12)))
    return reference.astype(np.int32), changed(rng, reference).astype(np.int32)


pairs = st.builds(random_pair, st.integers(0, 2**32 - 1), st.sampled_from([2, 3]))
"""Hypothesis strategy of (reference, prediction), 2D or 3D."""


def square(shape: tuple[int, ...], *corners: tuple[int, int, int, int]) -> np.ndarray:
    """(Y, X) labels of rectangles 1, 2, ...: each (top, left, height, width)."""
    labels = np.zeros(shape, np.int32)
    for i, (top, left, height, width) in enumerate(corners, start=1):
        labels[top : top + height, left : left + width] = i
    return labels
