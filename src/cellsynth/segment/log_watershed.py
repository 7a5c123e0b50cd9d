"""Laplacian-of-Gaussian seeds at the scale of a cell, watershed in a threshold mask."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from scipy import ndimage

from ..core.grid import Grid
from ..core.types import Labels, Plane
from ._presence import cell_area_px, classical
from ._threshold import ThresholdName, foreground, smooth
from ._watershed import fill_holes, flood, peaks
from .base import AbstractSegmenter, Choice, Search, SegmentFn, registry


@registry.register
class LogWatershed(AbstractSegmenter):
    """Seeds where the Laplacian of Gaussian answers most at the size of a cell, then a watershed.

    References
    ----------
    .. [1] T. Lindeberg, "Feature detection with automatic scale selection", Int. J. Comput. Vis. 30 (1998)
       79-116: a disc of radius r answers most at sigma = r / sqrt(2).
    .. [2] Y. Al-Kofahi et al., "Improved automatic detection and segmentation of cell nuclei in
       histopathology images", IEEE Trans. Biomed. Eng. 57 (2010) 841-852: LoG seeds, then a division of the
       foreground.
    """

    kind: Literal["log_watershed"] = "log_watershed"

    scale: Annotated[float, Interval(gt=0, le=3), Search(0.7, 1.8, is_log=True)] = 1.2
    """Standard deviation of the LoG over the one that answers a disc of the typical diameter most."""

    separation: Annotated[float, Interval(ge=0, le=2), Search(0.15, 0.8)] = 0.5
    """Least distance between two seeds, in diameters."""

    seed_height: Annotated[float, Interval(ge=0, le=1), Search(0.0, 0.4)] = 0.15
    """Least answer of a seed, over the median answer of all seeds."""

    threshold: Annotated[ThresholdName, Choice("otsu", "minimum_cross_entropy")] = "otsu"
    """Global threshold of the mask."""

    correction: Annotated[float, Interval(gt=0, le=10), Search(0.4, 1.6, is_log=True)] = 0.7
    """Multiplies the height of the threshold above the background. Below 1: the brightest cells pull Otsu's
    up."""

    smoothing: Annotated[float, Interval(ge=0, le=1)] = 0.05
    """Standard deviation of the Gaussian filter before the threshold, in diameters."""

    min_area_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Objects smaller than this fraction of a round cell's area are removed."""

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""
        return classical(self, grid, flood_from_blobs, self.min_area_fraction)


def flood_from_blobs(config: LogWatershed, plane: Plane, diameter_px: float) -> Labels:
    """Label the cells of a plane in which they are bright."""
    mask = foreground(smooth(plane, config.smoothing * diameter_px), config.threshold, config.correction)
    mask = fill_holes(mask, cell_area_px(diameter_px))
    sigma_px = config.scale * diameter_px / (2 * np.sqrt(2))
    hollow = ndimage.gaussian_laplace(plane, sigma_px, mode="nearest")  # negative inside bright blobs
    seeds = peaks(-hollow, mask & (hollow < 0), config.separation * diameter_px)
    at_seeds = -hollow[seeds > 0]
    if at_seeds.size:
        seeds[-hollow < config.seed_height * np.median(at_seeds)] = 0
    return flood(hollow, seeds, mask)
