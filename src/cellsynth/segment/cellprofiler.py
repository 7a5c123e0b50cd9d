"""The pipeline of CellProfiler's IdentifyPrimaryObjects, written anew from its documentation."""

from typing import Annotated, Literal

from annotated_types import Interval
from pydantic import PositiveFloat

from ..core.grid import Grid
from ..core.types import Labels, Plane
from ._presence import cell_area_px, classical
from ._threshold import ThresholdName, foreground, smooth
from ._watershed import connected, fill_holes, flood, gapless, inner_distance, peaks, without_border
from .base import AbstractSegmenter, Choice, Search, SegmentFn, registry


@registry.register
class CellProfiler(AbstractSegmenter):
    """Threshold, fill holes, divide clumps by intensity or shape, discard by size [1]_ [2]_.

    Deviations: lengths are relative to the typical diameter where CellProfiler asks for pixels; the
    correction counts from the background; objects at the border are kept unless asked otherwise; seeds are
    suppressed by distance from the highest down instead of by a maximum filter.

    References
    ----------
    .. [1] A. E. Carpenter et al., "CellProfiler: image analysis software for identifying and quantifying cell
       phenotypes", Genome Biol. 7 (2006) R100.
    .. [2] CellProfiler 4 manual, IdentifyPrimaryObjects: automatic smoothing (minimum diameter / 3.5) and
       suppression of maxima (minimum diameter / 1.5).
    """

    kind: Literal["cellprofiler"] = "cellprofiler"

    threshold: Annotated[ThresholdName, Choice("minimum_cross_entropy", "otsu")] = "minimum_cross_entropy"
    """Global threshold."""

    correction: Annotated[float, Interval(gt=0, le=10), Search(0.5, 2.0, is_log=True)] = 1.0
    """Multiplies the height of the threshold above the background."""

    smoothing: Annotated[float, Interval(ge=0, le=1), Search(0.02, 0.15, is_log=True)] = 0.05
    """Gaussian filter before the threshold, in diameters. CellProfiler's smoothing scale of 1.3488 is a
    standard deviation of one pixel: .05 of a cell of 20 pixels."""

    declump: Annotated[Literal["intensity", "shape", "none"], Choice("intensity", "shape")] = "shape"
    """What divides touching cells: brightness, distance to the background, or nothing."""

    min_diameter: Annotated[float, Interval(gt=0, le=2), Search(0.35, 1.2, is_log=True)] = 0.7
    """Smallest cell that is to be told apart, in diameters; sets smoothing and suppression of the seeds."""

    max_diameter: PositiveFloat = 4.0
    """Objects with the area of a larger disc are discarded, in diameters."""

    min_area_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Objects smaller than this fraction of a round cell's area are removed."""

    is_border_discarded: bool = False
    """Drop objects that touch the border of the image."""

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""
        return classical(self, grid, identify_primary_objects, self.min_area_fraction)


def identify_primary_objects(config: CellProfiler, plane: Plane, diameter_px: float) -> Labels:
    """Label the cells of a plane in which they are bright."""
    mask = foreground(smooth(plane, config.smoothing * diameter_px), config.threshold, config.correction)
    mask = fill_holes(mask, cell_area_px(diameter_px))
    if config.declump == "none":
        labels = connected(mask)
    else:
        min_diameter_px = config.min_diameter * diameter_px
        height = inner_distance(mask) if config.declump == "shape" else plane
        height = smooth(height, min_diameter_px / 3.5)
        labels = flood(-height, peaks(height, mask, min_diameter_px / 1.5), mask)
    if config.is_border_discarded:
        labels = without_border(labels)
    return gapless(labels, max_area_px=cell_area_px(config.max_diameter * diameter_px))
