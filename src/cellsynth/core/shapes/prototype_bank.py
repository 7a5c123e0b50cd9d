"""Real cells as prototypes: small masks with their grey values, and how to cut them out of labelled images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt64
from numba import njit
from scipy.ndimage import find_objects, gaussian_filter

from ..errors import InputError
from ..lattice import uniform
from ..nearest import nearest_labels
from ..types import Labels, Plane, Points

_BLUR = 0.06
"""Standard deviation of the Gaussian of the blurred textures, in mean radii: 2.5 of 45 voxels in [1]_."""


@dataclass(frozen=True, eq=False)
class PrototypeBank:
    """Masks of single cells with grey values, each in the voxels it was imaged with.

    A prototype has a frame of its own: centre of mass, principal axes of its second moments, and semi-axes scaled so
    that the ellipsoid has the volume of the mask. An object with that frame shows the prototype as it was imaged.
    """

    masks: Sequence[Bool[np.ndarray, "..."]]
    """One crop per prototype, all 2D or all 3D, none empty."""

    textures: Sequence[Float32[np.ndarray, "..."]]
    """Grey values of the crops, with a mean of 1 inside; what is outside is not used."""

    voxel_um: Points
    """(n, d), size of the voxels of each crop."""

    def __post_init__(self) -> None:
        n = len(self.masks)
        if n == 0 or len(self.textures) != n or len(self.voxel_um) != n:
            raise InputError(
                f"a bank needs at least one mask, and as many textures and voxel sizes; saw {n}, "
                f"{len(self.textures)} and {len(self.voxel_um)}"
            )
        d = self.voxel_um.shape[1]
        for i, (mask, texture) in enumerate(zip(self.masks, self.textures, strict=True)):
            if mask.ndim != d or mask.shape != texture.shape or not mask.any():
                raise InputError(
                    f"prototype {i}: needs a mask of {d} axes with something in it, and a texture of its shape; saw "
                    f"{mask.shape} and {texture.shape}"
                )

    def __len__(self) -> int:
        return len(self.masks)

    @property
    def ndim(self) -> int:
        """2 or 3."""
        return self.voxel_um.shape[1]

    def frames(
        self,
        keys: UInt64[np.ndarray, " n"],
        turn_deg: float = 180.0,
        tilt_deg: float = 0.0,
        scale: tuple[float, float] = (0.8, 1.3),
    ) -> tuple[Points, Float[np.ndarray, "n d d"]]:
        """Semi-axes and rotations for objects with these keys: of their prototypes, turned and stretched.

        Parameters
        ----------
        turn_deg
            Each is turned about z (in 2D, in the plane) by up to this, to either side.
        tilt_deg
            In 3D, and then about each of the other axes.
        scale
            Range of the factor of each semi-axis.

        Notes
        -----
        The augmentation of [1]_, which turns by up to 180 degrees, can tilt by 20, and scales by 0.8 to 1.3; there
        along the axes of the image, here along those of the cell. As it is the frame that changes, nothing is
        resampled twice.

        References
        ----------
        .. [1] R. Bruch et al., "Synthesis of large scale 3D microscopic images of 3D cell cultures for training and
           benchmarking", PLOS ONE 18 (2023) e0283828.
        """
        which = prototype_of(keys, len(self))
        first = 3 - self.ndim
        semi_axes = self.tables.axes[which][:, first:]
        rotation = self.tables.rotation[which][:, first:, first:]
        numbers = _numbers(keys)
        semi_axes = semi_axes * (scale[0] + (scale[1] - scale[0]) * numbers[:, :3][:, first:])
        angle = np.radians((2 * numbers[:, 3:] - 1) * [turn_deg, tilt_deg, tilt_deg])
        if self.ndim == 2:
            return semi_axes, _plane_rotations(angle[:, 0]) @ rotation
        for axis in range(3):
            turn = np.zeros((len(keys), 3, 3))
            turn[:, axis, axis] = 1
            others = [k for k in range(3) if k != axis]
            turn[np.ix_(range(len(keys)), others, others)] = _plane_rotations(angle[:, axis])
            rotation = turn @ rotation
        return semi_axes, rotation

    @cached_property
    def tables(self) -> "Tables":
        """The prototypes as the kernels read them; made when first needed."""
        frames = [_frame(mask, voxel) for mask, voxel in zip(self.masks, self.voxel_um, strict=True)]
        filled = [
            _filled(np.asarray(texture, np.float32), mask, voxel)
            for texture, mask, voxel in zip(self.textures, self.masks, self.voxel_um, strict=True)
        ]
        blurred = [
            gaussian_filter(texture, _BLUR * np.prod(f.axes) ** (1 / self.ndim) / voxel, mode="nearest")
            for texture, f, voxel in zip(filled, frames, self.voxel_um, strict=True)
        ]
        depth = [_scaled_distance(mask, voxel) for mask, voxel in zip(self.masks, self.voxel_um, strict=True)]
        n, first = len(self), 3 - self.ndim
        rotation = np.tile(np.eye(3), (n, 1, 1))
        rotation[:, first:, first:] = [f.rotation for f in frames]
        return Tables(
            np.array([(1,) * first + mask.shape for mask in self.masks], np.int64),
            _padded(self.voxel_um, 1.0),
            np.concatenate([[0], np.cumsum([mask.size for mask in self.masks])]).astype(np.int64),
            np.concatenate([d.ravel() for d in depth]),
            np.concatenate([t.ravel() for t in filled]),
            np.concatenate([t.ravel() for t in blurred]),
            _padded(np.array([f.centre for f in frames]), 0.5),
            _padded(np.array([f.axes for f in frames]), 1.0),
            rotation,
            _padded(np.array([f.half_sides for f in frames]), 0.5),
            np.array([f.farthest for f in frames]),
        )


class Tables(NamedTuple):
    """All prototypes in 3D and one after another."""

    shape_px: np.ndarray
    voxel_um: np.ndarray
    first: np.ndarray
    """Where the voxels of each begin in the next three."""

    distance: np.ndarray
    """Scaled: 0 where a mask is deepest, below 1 inside, 1 outside."""

    texture: np.ndarray
    blurred: np.ndarray
    centre_um: np.ndarray
    """From the corner of the crop."""

    axes: np.ndarray
    rotation: np.ndarray
    half_sides: np.ndarray
    """Of the box around the mask, in its frame and its semi-axes."""

    farthest: np.ndarray
    """Distance from the centre to the farthest corner of a voxel of the mask, in semi-axes."""


class CutCells(NamedTuple):
    """What `cut_cells` took out of an image, and what it left."""

    masks: list[Bool[np.ndarray, "..."]]
    textures: list[Float32[np.ndarray, "..."]]

    n_at_border: int
    """Left out, as a part of them is missing."""

    n_small: int
    """Left out, as they have too few voxels."""

    n_flat: int
    """Taken, though they are not brighter than the background; their texture is 1 everywhere."""


def extract_prototypes(
    image: Plane, labels: Labels, voxel_um: tuple[float, ...], min_voxels: int = 50
) -> PrototypeBank:
    """Cut the whole cells out of a labelled image; see `cut_cells`.

    Raises
    ------
    InputError
        If the shapes differ, or no cell is left.
    """
    if image.shape != labels.shape or len(voxel_um) != labels.ndim:
        raise InputError(
            f"image, labels and voxel size must have the same axes: saw {image.shape}, {labels.shape} and "
            f"{len(voxel_um)} sizes"
        )
    cut = cut_cells(image, labels, min_voxels)
    if not cut.masks:
        raise InputError(
            f"none of the {cut.n_at_border + cut.n_small} labels is a whole cell of at least {min_voxels} voxels; ask "
            "for fewer voxels, or give a larger image"
        )
    return PrototypeBank(cut.masks, cut.textures, np.tile(np.asarray(voxel_um, float), (len(cut.masks), 1)))


def cut_cells(image: Plane, labels: Labels, min_voxels: int = 50) -> CutCells:
    """Cut the whole cells out of a labelled image, with their grey values.

    Cells that touch the border of the image are left out, as a part of them is missing, and so are those of fewer
    than `min_voxels`. All voxels of a label are kept, in however many parts.

    Parameters
    ----------
    image : (Z, Y, X) or (Y, X)
        Grey values of one channel, in which cells are bright.
    labels
        0 is background; ids need not be without gaps.

    Notes
    -----
    Of the grey values the median of the background is taken off, and each cell is divided by its mean. The original
    [1]_ stretches each cell from 0 to 255, so that a single bright voxel darkens the rest.

    References
    ----------
    .. [1] R. Bruch et al., PLOS ONE 18 (2023) e0283828: `extract_phantoms`.
    """
    assert image.shape == labels.shape
    ids, compact = np.unique(labels, return_inverse=True)
    compact = compact.reshape(labels.shape).astype(np.int32) + (0 if 0 in ids else 1)
    background = float(np.median(image[compact == 0])) if (compact == 0).any() else float(image.min())
    masks, textures = [], []
    n_at_border = n_small = n_flat = 0
    for label, found in enumerate(find_objects(compact), 1):
        if any(s.start == 0 or s.stop == n for s, n in zip(found, labels.shape, strict=True)):
            n_at_border += 1
            continue
        mask = compact[found] == label
        if np.count_nonzero(mask) < min_voxels:
            n_small += 1
            continue
        above = image[found].astype(np.float64) - background
        light = np.maximum(above, 0)
        is_flat = above[mask].mean() <= 0
        n_flat += is_flat
        masks.append(mask)
        textures.append(
            np.ones(mask.shape, np.float32) if is_flat else (light / light[mask].mean()).astype(np.float32)
        )
    return CutCells(masks, textures, n_at_border, n_small, int(n_flat))


@njit(cache=True, nogil=True)
def prototype_of(keys, n_prototypes):
    """Which prototype each key names: all are equally likely."""
    which = np.empty(keys.size, np.int64)
    for i in range(keys.size):
        which[i] = int(uniform(keys[i], 0, 60) * n_prototypes)
    return which


@njit(cache=True, nogil=True)
def _numbers(keys):
    numbers = np.empty((keys.size, 6))
    for i in range(keys.size):
        for k in range(6):
            numbers[i, k] = uniform(keys[i], k, 61)
    return numbers


def _plane_rotations(angle: np.ndarray) -> np.ndarray:
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)


class _Frame(NamedTuple):
    centre: np.ndarray
    axes: np.ndarray
    rotation: np.ndarray
    half_sides: np.ndarray
    farthest: float


def _frame(mask: np.ndarray, voxel: np.ndarray) -> _Frame:
    points = (np.argwhere(mask) + 0.5) * voxel
    d, centre = mask.ndim, points.mean(axis=0)
    offset = points - centre
    covariance = offset.T @ offset / len(points) + np.diag(voxel**2) / 12  # a voxel is a cube, not a point
    variance, rotation = np.linalg.eigh(covariance)
    if np.linalg.det(rotation) < 0:
        rotation[:, 0] *= -1  # a rotation, not a mirror
    axes = np.sqrt(variance * (d + 2))
    unit = math.pi if d == 2 else 4 / 3 * math.pi
    axes *= (len(points) * np.prod(voxel) / (unit * np.prod(axes))) ** (1 / d)
    corners = np.stack(np.meshgrid(*[(-0.5, 0.5)] * d, indexing="ij"), -1).reshape(-1, d) * voxel
    half_sides, farthest = np.zeros(d), 0.0
    for corner in corners:
        local = np.abs((offset + corner) @ rotation / axes)
        half_sides = np.maximum(half_sides, local.max(axis=0))
        farthest = max(farthest, float(np.sqrt((local**2).sum(axis=1).max())))
    return _Frame(centre, axes, rotation, half_sides, farthest)


def _scaled_distance(mask: np.ndarray, voxel: np.ndarray) -> np.ndarray:
    """1 outside; inside, from near 1 at the outline to 0 at the deepest voxel."""
    outside = np.pad(~mask, 1, constant_values=True).astype(np.uint8)
    to_outside = nearest_labels(outside, tuple(voxel))[1][(slice(1, -1),) * mask.ndim]
    depth = to_outside - voxel.min() / 2  # the outline runs between the voxels
    return np.where(mask, 1 - depth / depth.max(), 1).astype(np.float32)


def _filled(texture: np.ndarray, mask: np.ndarray, voxel: np.ndarray) -> np.ndarray:
    """Grey values of the nearest voxel inside for those outside, so that interpolation at the outline has some."""
    order = np.zeros(mask.shape, np.int32)
    order[mask] = np.arange(1, np.count_nonzero(mask) + 1)
    return texture[mask][nearest_labels(order, tuple(voxel))[0] - 1]


def _padded(rows: np.ndarray, value: float) -> np.ndarray:
    """Rows of three numbers, the missing first ones `value`."""
    return np.column_stack([np.full((len(rows), 3 - rows.shape[1]), value), rows])
