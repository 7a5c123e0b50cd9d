"""A threshold that follows the local background, then a division by distance."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from scipy import ndimage

from ..core.grid import Grid
from ..core.types import Labels, Mask, Plane
from ._presence import cell_area_px, classical
from ._threshold import smooth, threshold_level, typical_contrast
from ._watershed import fill_holes, flood, inner_distance, peaks
from .base import AbstractSegmenter, Choice, Search, SegmentFn, registry


@registry.register
class LocalThreshold(AbstractSegmenter):
    """Local mean or Sauvola threshold, then a watershed of the distance to the background.

    The local threshold is not let below a fraction of the global contrast above the background: a window
    without cells would otherwise be divided along its noise.

    References
    ----------
    .. [1] J. Sauvola, M. Pietikainen, "Adaptive document image binarization", Pattern Recognit. 33 (2000)
       225-236. Eq. 5, with the sign for bright objects and R the largest local deviation.
    """

    kind: Literal["local_threshold"] = "local_threshold"

    window: Annotated[float, Interval(gt=0, le=50), Search(1.5, 8.0, is_log=True)] = 2.5
    """Side of the window, in diameters."""

    rule: Annotated[Literal["mean", "sauvola"], Choice("mean", "sauvola")] = "mean"
    """What the local threshold is made from."""

    offset: Annotated[float, Interval(ge=-1, le=1), Search(-0.2, 0.4)] = 0.1
    """Added to the local mean, in units of the global contrast; for Sauvola the k of its Eq. 5."""

    floor: Annotated[float, Interval(ge=0, le=2), Search(0.1, 0.8)] = 0.3
    """Least height of the threshold above the background, in units of Otsu's."""

    smoothing: Annotated[float, Interval(ge=0, le=1)] = 0.05
    """Gaussian filter before the threshold, in diameters."""

    separation: Annotated[float, Interval(ge=0, le=2), Search(0.2, 0.9)] = 0.35
    """Least distance between two seeds, in diameters."""

    min_area_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Objects smaller than this fraction of a round cell's area are removed."""

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""
        return classical(self, grid, divide_local_foreground, self.min_area_fraction)


def divide_local_foreground(config: LocalThreshold, plane: Plane, diameter_px: float) -> Labels:
    """Label the cells of a plane in which they are bright."""
    mask = fill_holes(local_foreground(config, plane, diameter_px), cell_area_px(diameter_px))
    distance = smooth(inner_distance(mask), 0.1 * diameter_px)
    return flood(-distance, peaks(distance, mask, config.separation * diameter_px), mask)


def local_foreground(config: LocalThreshold, plane: Plane, diameter_px: float) -> Mask:
    """What lies above the local threshold and above the floor."""
    plane = smooth(plane, config.smoothing * diameter_px)
    level = threshold_level(plane, "otsu")
    background, contrast = typical_contrast(plane, level)
    size = 2 * int(config.window * diameter_px / 2) + 1
    mean = ndimage.uniform_filter(plane, size, mode="reflect")
    if config.rule == "mean":
        local = mean + config.offset * contrast
    else:
        variance = ndimage.uniform_filter(plane**2, size, mode="reflect") - mean**2
        deviation = np.sqrt(np.maximum(variance, 0))
        widest = max(float(deviation.max()), 1e-9)
        local = mean - background
        local = background + local * (1 + config.offset * (deviation / widest - 1))
    return plane > np.maximum(local, background + config.floor * (level - background))
