"""Seeds that stand out by a height h, from brightness and distance to the background together."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from ..core.grid import Grid
from ..core.types import Labels, Plane
from ._presence import cell_area_px, classical
from ._threshold import ThresholdName, foreground, smooth
from ._watershed import basins, fill_holes, inner_distance
from .base import AbstractSegmenter, Choice, Search, SegmentFn, registry


@registry.register
class HMaxima(AbstractSegmenter):
    """Regions of the h-maxima of brightness and distance to the background combined.

    Both are divided by what is typical of a cell before they are added, so h is a fraction of a cell: of its
    brightness, or of its radius.

    References
    ----------
    .. [1] P. Soille, "Morphological Image Analysis", 2nd ed., Springer 2003, sections 6.3.4 and 9.2:
       h-maxima, and watershed with markers.
    .. [2] C. Wahlby et al., "Combining intensity, edge and shape information for 2D and 3D segmentation of
       cell nuclei in tissue sections", J. Microsc. 215 (2004) 67-76.
    """

    kind: Literal["h_maxima"] = "h_maxima"

    h: Annotated[float, Interval(ge=0, le=2), Search(0.02, 0.3, is_log=True)] = 0.05
    """Height by which a maximum must stand out above the saddle to a higher one, in typical cells."""

    shape_weight: Annotated[float, Interval(ge=0, le=1), Search(0.2, 1.0)] = 0.6
    """1 divides by the distance to the background alone, 0 by brightness alone."""

    seed_smoothing: Annotated[float, Interval(ge=0, le=1), Search(0.03, 0.2, is_log=True)] = 0.08
    """Gaussian filter of brightness and distance before the maxima, in diameters."""

    threshold: Annotated[ThresholdName, Choice("otsu", "minimum_cross_entropy")] = "otsu"
    """Global threshold of the mask."""

    correction: Annotated[float, Interval(gt=0, le=10), Search(0.4, 1.6, is_log=True)] = 0.7
    """Multiplies the height of the threshold above the background. Below 1: the brightest cells pull Otsu's
    up."""

    smoothing: Annotated[float, Interval(ge=0, le=1)] = 0.05
    """Gaussian filter before the threshold, in diameters."""

    min_area_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Objects smaller than this fraction of a round cell's area are removed."""

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""
        return classical(self, grid, divide_at_h_maxima, self.min_area_fraction)


def divide_at_h_maxima(config: HMaxima, plane: Plane, diameter_px: float) -> Labels:
    """Label the cells of a plane in which they are bright."""
    mask = foreground(smooth(plane, config.smoothing * diameter_px), config.threshold, config.correction)
    mask = fill_holes(mask, cell_area_px(diameter_px))
    if mask.all() or not mask.any():
        return mask.astype(np.int32)
    background = float(np.median(plane[~mask]))
    typical = max(float(np.median(plane[mask])) - background, 1e-6)
    brightness = np.clip((plane - background) / typical, 0, 2)  # a very bright cell needs no higher saddle
    distance = inner_distance(mask) / (diameter_px / 2)
    w = config.shape_weight
    priority = smooth(
        (w * distance + (1 - w) * brightness).astype(np.float32), config.seed_smoothing * diameter_px
    )
    return basins(priority, mask, config.h)
