"""Instances out of masks that a generator or a network made: binarise, clean, divide what touches."""

from typing import Literal

import numpy as np

from ..core.nearest import nearest_labels
from ..core.types import Labels, Mask, Plane
from ..segment._threshold import threshold_level
from ..segment._watershed import basins, connected, fill_holes, gapless

LevelName = Literal["half", "otsu", "minimum_cross_entropy"]


def level_of(image: Plane, method: LevelName, full_scale: float) -> float:
    """Grey value from which on a mask is foreground: half of the range, or found from the image.

    Half of the range keeps soft outlines where they are. CellGen's tool takes 240 of 255, which wears off every cell.
    """
    return full_scale / 2 if method == "half" else threshold_level(image, method)


def instances_of(
    mask: Mask, voxel_um: tuple[float, ...], *, neck: float, min_area_px: float = 0, max_hole_px: float = 0
) -> Labels:
    """Fill small holes, divide what touches (see `split_instances`), and drop small objects.

    Parameters
    ----------
    min_area_px
        Objects of fewer pixels, or voxels, are dropped.
    max_hole_px
        Holes of up to so many are filled.

    Returns
    -------
    labels : int32, 1..N without gaps
    """
    return gapless(split_instances(fill_holes(mask, max_hole_px), neck, voxel_um), min_area_px)


def split_instances(mask: Mask, neck: float, voxel_um: tuple[float, ...]) -> Labels:
    """Number the connected parts of a mask, divided at their necks.

    Parameters
    ----------
    neck
        Two parts are separate where the neck between them is narrower than this part of the width of the narrower of
        both, 0 to 1; 0 divides nothing.
    voxel_um
        Size of a voxel; only its proportions matter.

    Returns
    -------
    labels : int32, 1..N without gaps

    Notes
    -----
    A watershed of the distance to the background, whose regions are merged across saddles that are not deep enough.
    The depth is a ratio of distances and no difference, so that it needs no typical size: small cells and large ones
    are divided alike. One half of a voxel is added, as distances are no more certain than that; cells narrower than
    some voxels are divided only at deep necks. Outside of the image the mask goes on.
    """
    if neck == 0 or mask.all() or not mask.any():
        return connected(mask)
    step = np.asarray(voxel_um) / min(voxel_um)
    distance = nearest_labels((~mask).astype(np.uint8), tuple(step))[1]
    width = np.log(distance + np.float32(0.5), where=mask, out=np.zeros_like(distance))
    return basins(width, mask, -np.log(neck) if neck < 1 else 0.0)
