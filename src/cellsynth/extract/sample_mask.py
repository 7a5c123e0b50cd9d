"""The mask of a sample, such as a spheroid, from a picture of its cells."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from ..core.errors import InputError
from ..core.types import Mask, Plane
from ..segment._threshold import threshold_level
from ..segment._watershed import connected, fill_holes
from ._balls import closed, opened

LevelName = Literal["mean", "otsu", "minimum_cross_entropy"]

PUBLISHED_PX_UM = 0.488759
"""Pixel of the images whose masks were published (see `extract_sample_mask`); their planes are 1.5 um apart."""

SMOOTHING_PX, OPENING_PX, CLOSING_PX = 5.0, 2.0, 25.0
"""Published numbers, in pixels: sigma of the Gaussian filter, and half the width of the elements. That of the closing
is ten times 2.5, since ten rounds were meant."""


@dataclass(frozen=True, eq=False)
class SampleMask:
    """A mask and how it came about."""

    mask: Mask

    level: float
    """Threshold of the smoothed image, in its grey values."""

    n_parts: int
    """Separate parts of the foreground, of which the largest is the mask."""

    share_left_out: float
    """Of the foreground, that of the other parts."""


def extract_sample_mask(
    image: Plane,
    voxel_um: tuple[float, ...],
    *,
    smoothing_um: tuple[float, ...],
    opening_um: tuple[float, ...],
    closing_um: tuple[float, ...],
    method: LevelName = "mean",
    keeps_holes: bool = False,
    is_dark: bool = False,
) -> SampleMask:
    """Find the largest thing in a picture: smooth, threshold, open, close, keep the largest part, fill its holes.

    Parameters
    ----------
    image : (Z, Y, X) or (Y, X)
        In any grey values.
    smoothing_um, opening_um, closing_um
        Per axis: sigma of the Gaussian filter, and semi-axes of the ellipsoids; 0 for none.
    method
        Threshold of the smoothed image: its mean, as published, or one of those of `segment`.
    keeps_holes
        Leave the holes, such as lumens, that the closing did not fill.
    is_dark
        The sample is what lies below the threshold.

    Raises
    ------
    InputError
        If every voxel has the same value, or nothing is left; says the threshold.

    Notes
    -----
    After `extract_spheroid_mask` of [1]_, with these differences. Lengths are in micrometres, so that voxels need not
    be cubes; elements are ellipsoids in place of boxes of 3 x 4 x 4 and 5 x 4 x 6 voxels. The closing is as wide as the
    ten rounds that were meant, of which every one began at the same image. It comes before the largest part is chosen,
    else cells that the smoothing did not join are lost. Holes are what touches no border of the image, there all but
    the largest part of the background, so that a sample that cuts off a corner keeps it; and they are filled last,
    since a closing makes new ones. The border of the image does not wear the mask off.

    References
    ----------
    .. [1] R. Bruch et al., "Synthesis of large scale 3D microscopic images of 3D cell cultures for training and
       benchmarking", PLOS ONE 18 (2023) e0283828.
    """
    if image.min() == image.max():
        raise InputError(f"every voxel has the same value ({image.flat[0]:g}); there is nothing to see in it")
    sigma = [s / v for s, v in zip(smoothing_um, voxel_um, strict=True)]
    smoothed = ndimage.gaussian_filter(image, sigma, mode="nearest", truncate=3.0)
    level = float(smoothed.mean(dtype=np.float64)) if method == "mean" else threshold_level(smoothed, method)
    inside = smoothed < level if is_dark else smoothed > level
    solid = opened(inside, opening_um, voxel_um)
    if not solid.any():
        raise InputError(
            f"nothing is left of the sample: {inside.mean():.1%} of the smoothed image lie "
            f"{'below' if is_dark else 'above'} the threshold {level:g} ({method}; its values are {smoothed.min():g} "
            f"to {smoothed.max():g}), and none of it is as wide as the opening; ask for less opening or smoothing, or "
            "for another threshold"
        )
    parts = connected(closed(solid, closing_um, voxel_um))
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    mask = parts == sizes.argmax()
    if not keeps_holes:
        mask = fill_holes(mask, np.inf)
    return SampleMask(mask, level, int((sizes > 0).sum()), float(1 - sizes.max() / sizes.sum()))
