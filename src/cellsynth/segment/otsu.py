"""Global threshold and connected components: the honest floor."""

from typing import Annotated, Literal

from annotated_types import Interval

from ..core.grid import Grid
from ..core.types import Labels, Plane
from ._presence import cell_area_px, classical
from ._threshold import foreground, smooth
from ._watershed import connected, fill_holes
from .base import AbstractSegmenter, Search, SegmentFn, registry


@registry.register
class Otsu(AbstractSegmenter):
    """Otsu's threshold and connected components; touching cells merge.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Syst. Man Cybern.
       9 (1979) 62-66.
    """

    kind: Literal["otsu"] = "otsu"

    smoothing: Annotated[float, Interval(ge=0, le=1), Search(0.02, 0.15, is_log=True)] = 0.05
    """Standard deviation of the Gaussian filter, in diameters."""

    correction: Annotated[float, Interval(gt=0, le=10), Search(0.4, 1.6, is_log=True)] = 1.0
    """Multiplies the height of the threshold above the background."""

    min_area_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Objects smaller than this fraction of a round cell's area are removed."""

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""
        return classical(self, grid, threshold_and_connect, self.min_area_fraction)


def threshold_and_connect(config: Otsu, plane: Plane, diameter_px: float) -> Labels:
    """Label the connected parts above the threshold, holes filled."""
    mask = foreground(smooth(plane, config.smoothing * diameter_px), "otsu", config.correction)
    return connected(fill_holes(mask, cell_area_px(diameter_px)))
