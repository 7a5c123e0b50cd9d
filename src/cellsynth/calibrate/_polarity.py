"""A first look: are cells brighter or darker than what surrounds them."""

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


def _largest_share(mask: Mask) -> float:
    labels, n = ndimage.label(mask)
    if n == 0:
        return 1.0
    return float(np.bincount(labels.ravel())[1:].max()) / float(mask.sum())
