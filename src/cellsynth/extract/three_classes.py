"""Masks in three grey levels, background, rim and core, as AD-GAN makes them, to instances."""

import numpy as np
from scipy import ndimage

from ..core.nearest import nearest_labels
from ..core.types import Labels, Plane
from ..segment._watershed import connected, fill_holes, flood, gapless
from .instances import split_instances

_REACH = 3.0
"""Distance, in inner radii of a core, up to which its cell is looked for; by the encoding it ends at 1."""


def decode_three_classes(
    image: Plane,
    full_scale: float,
    voxel_um: tuple[float, ...],
    *,
    min_area_px: float = 0,
    max_hole_px: float = 0,
    neck: float = 0.0,
) -> Labels:
    """Give every core the rim around it.

    The encoding [1]_: 0 is background, half of the range the rim of a cell, the full range its core, where the distance
    to the outline is at least half of the greatest in the cell. Read are values above a quarter of the range as cells,
    and above three quarters as cores.

    Parameters
    ----------
    image : (Y, X) or (Z, Y, X)
        From 0 to `full_scale`.
    min_area_px
        Smaller cells are dropped. A core has a quarter of the area of its cell, in 3D an eighth of the volume; smaller
        ones count as rim.
    max_hole_px
        Holes of up to so many pixels are filled, in cells and in cores.
    neck
        As of `split_instances`, for cores that grew together. Cores have the outlines of their cells, only sharper, so
        that a neck that divides masks well divides cores too often.

    Returns
    -------
    labels : int32, 1..N without gaps

    Notes
    -----
    By the encoding the rim is as wide as the core is deep, so a core reaches as far as its own depth and no further:
    between cells of different size the border is where the distances to both cores, divided by their depths, are equal.
    The nearest core alone would give small cells a part of large ones. Rim without a core, as of cells of a few
    pixels, is a cell of its own for each part. How cells are told apart is not published; this is ours.

    References
    ----------
    .. [1] K. Yao et al., "AD-GAN: End-to-end unsupervised nuclei segmentation with aligned disentangling training",
       arXiv:2107.11022 (2021), mask synthesis.
    """
    mask = fill_holes(image > full_scale / 4, max_hole_px)
    cores = split_instances(fill_holes(image > 0.75 * full_scale, max_hole_px) & mask, neck, voxel_um)
    cores = gapless(cores, min_area_px / 2**mask.ndim)
    labels = flood(_scaled_distance(cores, voxel_um), cores, mask)
    lost = connected(mask & (labels == 0))
    labels = np.where(lost > 0, lost + labels.max(), labels)
    return gapless(labels, min_area_px)


def _scaled_distance(cores: Labels, voxel_um: tuple[float, ...]) -> Plane:
    """Distance to the nearest core, each in units of its own depth."""
    step = tuple(np.asarray(voxel_um) / min(voxel_um))
    scaled = np.full(cores.shape, np.inf, np.float32)
    for core, found in enumerate(ndimage.find_objects(cores), 1):
        depth = _depth(cores[_around(found, (1,) * cores.ndim)] == core, step)
        box = _around(found, tuple(int(_REACH * depth / v) + 1 for v in step))
        distance = nearest_labels((cores[box] == core).astype(np.uint8), step)[1] / np.float32(depth)
        np.minimum(scaled[box], distance, out=scaled[box])
    far = ~np.isfinite(scaled)
    if far.any() and cores.any():
        scaled[far] = _REACH + nearest_labels(cores, step)[1][far]
    return scaled


def _around(found: tuple[slice, ...], margin: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(max(s.start - m, 0), s.stop + m) for s, m in zip(found, margin, strict=True))


def _depth(core: np.ndarray, step: tuple[float, ...]) -> float:
    """Greatest distance of a core to its outline, which runs half a voxel before the next centre.

    The border of the image is no outline: the core goes on.
    """
    if core.all():
        return float(max(np.array(core.shape) * step))
    return float(nearest_labels((~core).astype(np.uint8), step)[1].max()) - 0.5
