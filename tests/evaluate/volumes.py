"""Label arrays that are read like volumes on disk: in chunks, and only ever a part of them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Stored:
    """An array with chunks that knows the largest part that was read."""

    array: np.ndarray
    chunks: tuple[int, ...] | None = None

    @property
    def shape(self):
        return self.array.shape

    @property
    def dtype(self):
        return self.array.dtype

    def __getitem__(self, key):
        return self.array[key].copy()


def boxes_field(seed: int, shape: tuple[int, ...], n_objects: int, size: int) -> np.ndarray:
    """Few boxes far from each other: much background, and long ways to the nearest outline."""
    rng = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    for i in range(1, n_objects + 1):
        start = [int(rng.integers(0, n)) for n in shape]
        labels[tuple(slice(a, a + int(rng.integers(1, size + 1))) for a in start)] = i
    return labels
