"""Label volumes on disk that are read box by box, with the checks of `label_file` as far as they go without memory."""

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import ndimage

from ..core.blocks import Volume
from ..core.errors import InputError
from ..core.types import Labels
from ..io.ome_zarr import ZarrVolume, open_labels
from .label_file import (
    LARGEST_ID,
    LabelNotes,
    check_label_header,
    mask_error,
    may_be_classes,
    middle_of,
    parts_of_classes,
    refuse_grey_image,
)

_log = logging.getLogger(__name__)

_SLAB_VOXELS = 2**24


@dataclass(frozen=True)
class LabelVolume:
    """Labels in an OME-Zarr store; ids as they are stored, 0 to 2^32 - 1, checked when they are read."""

    path: Path
    stored: ZarrVolume

    @classmethod
    def open(cls, path: Path) -> "LabelVolume":
        """Open without reading a value.

        Raises
        ------
        InputError
            If these cannot be labels, by their axes or type.
        """
        stored = open_labels(path)
        check_label_header(stored.header)
        if stored.dtype.kind == "f":
            raise InputError(
                f"{path}: values are {stored.dtype}; labels are whole numbers, stored as integers, so save it as 16 "
                "or 32 bit unsigned"
            )
        if not stored.array.has_chunks():
            _log.warning(
                "%s: holds no chunk at all, so every voxel reads as background; if it is not meant to be empty, it was "
                "not copied whole",
                path,
            )
        return cls(Path(path), stored)

    @property
    def shape(self) -> tuple[int, ...]:
        """Voxels per axis, `Z Y X` or `Y X`."""
        return self.stored.shape

    @property
    def chunks(self) -> tuple[int, ...]:
        """Voxels per axis that are read together."""
        return self.stored.chunks

    @property
    def dtype(self) -> np.dtype:
        """Integers of any width."""
        return np.dtype(np.uint8) if self.stored.dtype == bool else self.stored.dtype

    def __getitem__(self, key: Any) -> Labels:
        """Read a part, by a slice for each axis.

        Raises
        ------
        InputError
            If a chunk is damaged, or a value is negative or too large.
        """
        labels = self.stored[key].astype(self.dtype, copy=False)
        if labels.dtype.kind == "i" and labels.size and labels.min() < 0:
            raise InputError(
                f"{self.path}: values are negative, such as {labels.min()}; labels are 0 for background and one number "
                "per cell. Set the regions to ignore to 0"
            )
        if labels.dtype.itemsize == 8 and labels.size and labels.max() > LARGEST_ID:
            raise InputError(f"{self.path}: has the id {labels.max()}; ids up to {LARGEST_ID} are accepted")
        return labels

    def refuse_grey_image(self) -> None:
        """Refuse a grey image, by its middle plane.

        Raises
        ------
        InputError
            If it is one.
        """
        refuse_grey_image(self.path, self[middle_of(self.shape)])

    def check_ids(
        self,
        ids: np.ndarray,
        *,
        may_be_mask: bool = False,
        notes: LabelNotes | None = None,
    ) -> None:
        """Say what `read_label_file` says of the same labels, once it is known which ids there are.

        Parameters
        ----------
        ids
            All of them, ascending, without 0. Few of them make a second reading necessary: are these masks?

        Raises
        ------
        InputError
            If these are masks or class maps, and no such may be.
        """
        if may_be_classes(len(ids)) and (notes is not None or not may_be_mask):
            n_parts = parts_of_classes([region_areas(self, int(i)) for i in ids])
            if n_parts and not may_be_mask:
                raise mask_error(self.path, ids, n_parts)
            if n_parts and notes is not None:
                notes.masks[self.path] = n_parts


def region_areas(volume: Volume, label: int, n_voxels: int = _SLAB_VOXELS) -> np.ndarray:
    """Sizes of the connected regions (corners connect) of one id, slab by slab along the first axis.

    Every slab begins with the last plane of the one before; two regions that share a voxel of it are one.
    """
    length, *plane = volume.shape
    thickness = max(n_voxels // int(np.prod(plane)), 1)
    structure = ndimage.generate_binary_structure(len(volume.shape), len(volume.shape))
    everything = (slice(None),) * len(plane)
    parent, areas = np.zeros(1, np.int64), np.zeros(1, np.int64)
    last = np.zeros(plane, np.int64)
    for start in range(0, length, thickness):
        begin = max(start - 1, 0)
        mask = volume[(slice(begin, min(start + thickness, length)), *everything)] == label
        regions, n = ndimage.label(mask, structure)
        before = len(parent)
        parent = np.concatenate([parent, np.arange(before, before + n)])
        new = np.where(regions > 0, regions.astype(np.int64) + before - 1, 0)
        own = new[start - begin :]
        areas = np.concatenate([areas, np.bincount(own[own > 0] - before, minlength=n)])
        if start:
            pairs = np.unique(np.stack([last.ravel(), new[0].ravel()]), axis=1).T
            for a, b in pairs[pairs[:, 0] > 0].tolist():
                _join(parent, a, b)
        last = new[-1]
    roots = np.array([_root(parent, i) for i in range(len(parent))])
    totals = np.bincount(roots, weights=areas).astype(np.int64)
    return totals[totals > 0]


def _root(parent: np.ndarray, i: int) -> int:
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = int(parent[i])
    return i


def _join(parent: np.ndarray, a: int, b: int) -> None:
    first, second = _root(parent, a), _root(parent, b)
    parent[max(first, second)] = min(first, second)
