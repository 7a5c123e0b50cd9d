"""Voronoi-Otsu labelling: spots at one scale, outline at another."""

from typing import Annotated, Literal

from annotated_types import Interval

from ..core.grid import Grid
from ..core.types import Labels, Plane
from ._presence import cell_area_px, classical
from ._threshold import foreground, smooth
from ._watershed import distance_to, fill_holes, flood, peaks
from .base import AbstractSegmenter, Search, SegmentFn, registry


@registry.register
class VoronoiOtsu(AbstractSegmenter):
    """Voronoi cells of the maxima of a blurred image, cut out by Otsu's mask of a less blurred one.

    A pixel belongs to the seed that is nearest to it on a way inside the mask.

    References
    ----------
    .. [1] R. Haase et al., "CLIJ: GPU-accelerated image processing for everyone", Nat. Methods 17 (2020) 5-6,
       and the Voronoi-Otsu-labeling example in its documentation.
    """

    kind: Literal["voronoi_otsu"] = "voronoi_otsu"

    spot_sigma: Annotated[float, Interval(gt=0, le=2), Search(0.1, 0.4, is_log=True)] = 0.2
    """Gaussian filter before the maxima are found, in diameters."""

    outline_sigma: Annotated[float, Interval(ge=0, le=1), Search(0.02, 0.15, is_log=True)] = 0.04
    """Gaussian filter before the threshold, in diameters."""

    correction: Annotated[float, Interval(gt=0, le=10), Search(0.4, 1.6, is_log=True)] = 0.7
    """Multiplies the height of Otsu's threshold above the background. Below 1: the brightest cells pull it
    up."""

    min_area_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Objects smaller than this fraction of a round cell's area are removed."""

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""
        return classical(self, grid, divide_by_nearest_spot, self.min_area_fraction)


def divide_by_nearest_spot(config: VoronoiOtsu, plane: Plane, diameter_px: float) -> Labels:
    """Label the cells of a plane in which they are bright."""
    mask = foreground(smooth(plane, config.outline_sigma * diameter_px), "otsu", config.correction)
    mask = fill_holes(mask, cell_area_px(diameter_px))
    seeds = peaks(smooth(plane, config.spot_sigma * diameter_px), mask, 1.0)
    if not seeds.any():
        return seeds
    return flood(distance_to(seeds > 0), seeds, mask)
