"""Maximally stable regions over all thresholds at once, the best set in which none overlap."""

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from scipy import ndimage

from ..core.grid import Grid
from ..core.types import Labels, Plane
from ._component_tree import best_disjoint, component_tree, number_disjoint, relative_growth
from ._presence import cell_area_px, classical
from ._threshold import smooth, threshold_level, typical_contrast
from ._watershed import flood
from .base import AbstractSegmenter, Search, SegmentFn, registry

N_LEVELS = 250


@registry.register
class Mser(AbstractSegmenter):
    """Stable regions of the component tree [1]_, chosen without overlap by dynamic programming [2]_.

    Every connected part of every threshold is a candidate. Its value is the product of a prior of size, one
    of shape (how well it fills the ellipse of its second moments) and its stability over thresholds; a part
    is kept whole if it is worth more than the best choice inside of it. Each cell thus has a threshold of its
    own.

    Deviation from [2]_: the values are stated, not learned.

    References
    ----------
    .. [1] J. Matas, O. Chum, M. Urban, T. Pajdla, "Robust wide-baseline stereo from maximally stable extremal
       regions", Image Vis. Comput. 22 (2004) 761-767.
    .. [2] C. Arteta, V. Lempitsky, J. A. Noble, A. Zisserman, "Learning to detect cells using non-overlapping
       extremal regions", MICCAI 2012.
    """

    kind: Literal["mser"] = "mser"

    delta: Annotated[float, Interval(gt=0, le=2), Search(0.03, 0.4, is_log=True)] = 0.12
    """Step of threshold over which stability is measured, in units of the contrast of a typical cell."""

    size_spread: Annotated[float, Interval(gt=0, le=5), Search(0.4, 1.6, is_log=True)] = 0.8
    """Standard deviation of the logarithm of the area about that of a round cell."""

    shape_power: Annotated[float, Interval(ge=0, le=50), Search(2.0, 20.0, is_log=True)] = 8.0
    """How strongly a region that is not an ellipse is held against it."""

    growth_scale: Annotated[float, Interval(gt=0, le=10)] = 0.6
    """Relative growth over the step at which a region is worth 1/e of a perfectly stable one."""

    min_value: Annotated[float, Interval(ge=0, lt=1), Search(0.005, 0.2, is_log=True)] = 0.03
    """Regions worth less are not taken."""

    outline: Annotated[float, Interval(gt=0, lt=1), Search(0.25, 0.65)] = 0.45
    """Height of the outline between the local background and the mean of the stable region."""

    smoothing: Annotated[float, Interval(ge=0, le=1)] = 0.06
    """Gaussian filter before the tree is made, in diameters."""

    min_area_fraction: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Objects smaller than this fraction of a round cell's area are removed."""

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""
        return classical(self, grid, choose_stable_regions, self.min_area_fraction)


def choose_stable_regions(config: Mser, plane: Plane, diameter_px: float) -> Labels:
    """Label the cells of a plane in which they are bright."""
    plane = smooth(plane, config.smoothing * diameter_px)
    # Equal steps of the square root are equal steps of shot noise, and let dim cells have levels of their
    # own.
    low = float(plane.min())
    root = np.sqrt(np.maximum(plane - low, 0))
    scale = N_LEVELS / max(float(root.max()), 1e-12)
    levels = (root * np.float32(scale)).astype(np.uint8)
    tree = component_tree(levels)
    split = threshold_level(root, "otsu")
    contrast = typical_contrast(root, split)[1]
    delta = max(round(config.delta * contrast * scale), 1)
    min_area = config.min_area_fraction * cell_area_px(diameter_px)
    growth = relative_growth(tree.parent, tree.level, tree.area, delta, min_area)
    deviation = np.log(tree.area / cell_area_px(diameter_px)) / config.size_spread
    value = np.exp(-0.5 * deviation**2 - growth / config.growth_scale)
    value *= np.minimum(tree.ellipse_fill(), 1) ** config.shape_power
    chosen = best_disjoint(tree.parent, value - config.min_value)
    regions = number_disjoint(tree.parent, chosen)[tree.node_of]
    return grow_to_height(plane, regions, config.outline, diameter_px)


def grow_to_height(plane: Plane, regions: Labels, height: float, diameter_px: float) -> Labels:
    """Let regions grow downhill until `height` of the way from the local background to their mean.

    The local background is an opening by a square of three diameters, which a slope leaves as it is.
    """
    if not regions.any():
        return regions
    raised = plane - ndimage.grey_opening(plane, 2 * int(1.5 * diameter_px) + 1, mode="nearest")
    total, area = np.bincount(regions.ravel(), raised.ravel()), np.bincount(regions.ravel())
    outline = (height * total / np.maximum(area, 1)).astype(np.float32)
    inside = regions > 0
    near = ndimage.maximum_filter(inside, 2 * int(diameter_px / 2) + 1, mode="nearest")
    zones = flood(-plane, regions, inside | (near & (raised > outline[1:].min())))
    return np.where(inside | (raised > outline[zones]), zones, 0)
