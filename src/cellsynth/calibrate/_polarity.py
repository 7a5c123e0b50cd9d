"""First looks: are cells bright or dark, and how large are they about."""

from typing import Literal

import numpy as np
from scipy import ndimage
from skimage.filters import threshold_otsu

from ..core.types import Mask, Plane

Polarity = Literal["bright", "dark"]


def polarity_evidence(plane: Plane) -> float:
    """Evidence that cells are brighter (positive) or darker (negative) than what surrounds them.

    Background is one connected region and holds most pixels; cells are many regions and fewer pixels. So after a
    threshold, the side whose largest region holds less of it is the side of the cells; the skewness of the
    grey values decides where that is balanced.
    """
    smooth = ndimage.gaussian_filter(plane, 1.0)
    bright = smooth > threshold_otsu(smooth)
    centred = smooth - smooth.mean()
    skewness = float((centred**3).mean()) / max(float(centred.std()) ** 3, 1e-12)
    return (_largest_share(~bright) - _largest_share(bright)) + 0.5 * float(np.tanh(skewness))


def typical_diameter(plane: Plane) -> float:
    """Diameter of a typical cell in pixels, cells bright; NaN where nothing is found.

    Inner radii of the foreground at the seeds of its distance map, the seeds being spaced by the radius
    found so far; large objects weigh by their area, so specks do not count.
    """
    smooth = ndimage.gaussian_filter(plane, 1.0)
    level = threshold_otsu(smooth)
    dark = float(np.median(smooth[smooth <= level]))
    mask = ndimage.binary_fill_holes(smooth > dark + 0.6 * (level - dark))
    assert mask is not None
    distance = ndimage.distance_transform_edt(np.pad(mask, 1, mode="edge"))[1:-1, 1:-1]
    radius = float(distance.max()) / 2
    for _ in range(4):
        rounded = ndimage.gaussian_filter(distance, 0.2 * radius)
        size = 2 * max(int(0.7 * radius), 1) + 1
        is_peak = (rounded == ndimage.maximum_filter(rounded, size)) & (distance >= 1.5)
        found = distance[is_peak]
        if found.size == 0:
            return float("nan")
        order = np.argsort(found)
        weight = np.cumsum(found[order] ** 2)
        radius = float(found[order][np.searchsorted(weight, weight[-1] / 2)])
    # The inner radius is the semi-minor axis; nuclei have an axis ratio of about 0.75.
    return 2 * radius / np.sqrt(0.75)


def _largest_share(mask: Mask) -> float:
    labels, n = ndimage.label(mask)
    if n == 0:
        return 1.0
    return float(np.bincount(labels.ravel())[1:].max()) / float(mask.sum())
