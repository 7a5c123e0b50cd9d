"""Morphology by balls and ellipsoids of any size in micrometres, in time that does not depend on the size."""

import numpy as np

from ..core.nearest import nearest_labels
from ..core.types import Mask

_ROUNDING = 1e-5


def opened(mask: Mask, radius_um: tuple[float, ...], voxel_um: tuple[float, ...]) -> Mask:
    """Remove what no ball fits into. Outside of the image the mask goes on as at its border.

    Parameters
    ----------
    radius_um
        Semi-axis of the ball along each axis; 0 along all of them leaves the mask as it is.
    """
    if not any(radius_um):
        return mask
    # Without what lies outside, a closing would join everything to a border that is nearer than its radius.
    margin = [int(np.ceil(r / v)) + 1 for r, v in zip(radius_um, voxel_um, strict=True)]
    padded = np.pad(mask, [(m, m) for m in margin], mode="edge")
    eroded = ~_grown(~padded, radius_um, voxel_um)
    grown = _grown(eroded, radius_um, voxel_um)
    return grown[tuple(slice(m, m + n) for m, n in zip(margin, mask.shape, strict=True))]


def closed(mask: Mask, radius_um: tuple[float, ...], voxel_um: tuple[float, ...]) -> Mask:
    """Fill the gaps and bays that no ball fits into; else as `opened`."""
    return ~opened(~mask, radius_um, voxel_um)


def _grown(mask: Mask, radius_um: tuple[float, ...], voxel_um: tuple[float, ...]) -> Mask:
    """Every voxel whose centre lies within a ball around that of a voxel of the mask."""
    # In units of the semi-axes the ball has the radius 1; along an axis of semi-axis 0 the next voxel is out of reach.
    step = tuple(v / r if r > 0 else 2.0 for v, r in zip(voxel_um, radius_um, strict=True))
    limit = 1 + _ROUNDING
    return nearest_labels(mask.astype(np.uint8), step, limit)[1] <= limit
