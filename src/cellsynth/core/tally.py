"""Tally: what a label image shows of each object, summed over boxes in any order with the same result."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64, Integer
from numba import njit

from .types import Labels

_AXES = 3


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over the voxels of each object; whole numbers, so that no order of adding changes them."""

    labels: Int64[np.ndarray, " n"]
    """Ascending; those that show a voxel."""

    n_voxels: Int64[np.ndarray, " n"]

    place_px: Int64[np.ndarray, "n 3"]
    """Sum of the indices of the voxels, `zyx`; in 2D those of z are 0."""

    grey: Int64[np.ndarray, "n c"]
    """Sum of the grey values, per channel."""

    touching: Int64[np.ndarray, "m 2"]
    """Pairs of labels, the lower first, of which voxels share a face; each once, ascending."""

    def __add__(self, other: "Tally") -> "Tally":
        labels, place = np.unique(np.concatenate([self.labels, other.labels]), return_inverse=True)

        def total(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            summed = np.zeros((len(labels), *a.shape[1:]), np.int64)
            np.add.at(summed, place, np.concatenate([a, b]))
            return summed

        return Tally(
            labels,
            total(self.n_voxels, other.n_voxels),
            total(self.place_px, other.place_px),
            total(self.grey, other.grey),
            _unique_pairs(np.concatenate([self.touching, other.touching])),
        )


def tally(
    labels: Labels,
    counts: Integer[np.ndarray, "c *box"],
    start: tuple[int, ...],
) -> Tally:
    """Count a box.

    Parameters
    ----------
    labels
        Of the box, and of one voxel more at the far end of each axis where the grid goes on: what the box's last voxels
        touch there.
    counts
        Grey values of the box alone.
    start
        First voxel of the box in the grid.
    """
    flat = _AXES - labels.ndim
    volume = np.ascontiguousarray(labels).reshape((1,) * flat + labels.shape)
    image = np.ascontiguousarray(counts).reshape((counts.shape[0],) + (1,) * flat + counts.shape[1:])
    ids, place = _ranks(volume)
    n_voxels = np.zeros(len(ids), np.int64)
    place_px = np.zeros((len(ids), _AXES), np.int64)
    grey = np.zeros((len(ids), len(image)), np.int64)
    _sum(place, image, np.array((0,) * flat + tuple(start), np.int64), n_voxels, place_px, grey)
    pairs = np.empty((_count_faces(volume, image.shape[1:]), 2), np.int64)
    _faces(volume, image.shape[1:], pairs)
    seen = (n_voxels > 0) & (ids > 0)
    return Tally(ids[seen], n_voxels[seen], place_px[seen], grey[seen], _unique_pairs(pairs))


def _ranks(volume: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Labels that occur, ascending, 0 among them; and for every voxel the place of its label among these."""
    top = int(volume.max(initial=0))
    is_there = np.zeros(top + 1, bool)
    is_there[0] = True
    _mark(volume, is_there)
    ids = np.flatnonzero(is_there).astype(np.int64)
    rank = np.zeros(top + 1, np.int32)
    rank[ids] = np.arange(len(ids))
    return ids, rank[volume]


def _unique_pairs(pairs: np.ndarray) -> np.ndarray:
    if not len(pairs):
        return np.empty((0, 2), np.int64)
    packed = np.unique(pairs[:, 0] << 32 | pairs[:, 1])
    return np.stack([packed >> 32, packed & 0xFFFFFFFF], axis=1)


@njit(cache=True, nogil=True)
def _mark(volume, is_there):
    for label in volume.ravel():
        is_there[label] = True


@njit(cache=True, nogil=True)
def _sum(place, image, start, n_voxels, place_px, grey):
    n_c, n_z, n_y, n_x = image.shape
    for z in range(n_z):
        for y in range(n_y):
            for x in range(n_x):
                i = place[z, y, x]
                if i == 0:
                    continue
                n_voxels[i] += 1
                place_px[i, 0] += z + start[0]
                place_px[i, 1] += y + start[1]
                place_px[i, 2] += x + start[2]
                for c in range(n_c):
                    grey[i, c] += image[c, z, y, x]


@njit(cache=True, nogil=True)
def _count_faces(volume, shape):
    n = 0
    for axis in range(3):
        step = (axis == 0, axis == 1, axis == 2)
        for z in range(min(shape[0], volume.shape[0] - step[0])):
            for y in range(min(shape[1], volume.shape[1] - step[1])):
                for x in range(min(shape[2], volume.shape[2] - step[2])):
                    a, b = volume[z, y, x], volume[z + step[0], y + step[1], x + step[2]]
                    n += a != b and a != 0 and b != 0
    return n


@njit(cache=True, nogil=True)
def _faces(volume, shape, pairs):
    n = 0
    for axis in range(3):
        step = (axis == 0, axis == 1, axis == 2)
        for z in range(min(shape[0], volume.shape[0] - step[0])):
            for y in range(min(shape[1], volume.shape[1] - step[1])):
                for x in range(min(shape[2], volume.shape[2] - step[2])):
                    a, b = volume[z, y, x], volume[z + step[0], y + step[1], x + step[2]]
                    if a != b and a != 0 and b != 0:
                        pairs[n, 0], pairs[n, 1] = min(a, b), max(a, b)
                        n += 1
