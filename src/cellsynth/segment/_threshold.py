"""Smoothing, background and global thresholds: what several methods start with."""

from typing import Literal

import numpy as np
from scipy import ndimage

from ..core.types import Mask, Plane

ThresholdName = Literal["otsu", "minimum_cross_entropy"]

N_BINS = 1024
"""Bins of the histogram between the smallest and the largest value; far finer than any threshold needs."""


def smooth(plane: Plane, sigma_px: float) -> Plane:
    """Gaussian filter cut at 3 sigma; the plane itself where `sigma_px` is below a fifth of a pixel."""
    if sigma_px < 0.2:
        return plane
    return ndimage.gaussian_filter(plane, sigma_px, mode="nearest", truncate=3.0)


def typical_contrast(plane: Plane, level: float) -> tuple[float, float]:
    """Median of what is not above `level`, and how far the median of what is above lies over it (0 for
    nothing)."""
    background = background_level(plane, level)
    above = plane[plane > level]
    return background, float(np.median(above)) - background if above.size else 0.0


def background_level(plane: Plane, below: float) -> float:
    """Median of what is not above the threshold `below`."""
    values = plane[plane <= below]
    return float(np.median(values)) if values.size else below


def threshold_level(plane: Plane, method: ThresholdName, correction: float = 1.0) -> float:
    """Global threshold of a plane.

    Parameters
    ----------
    correction
        Multiplies the height of the threshold above the background. CellProfiler multiplies the threshold
        itself, which depends on the camera's offset.
    """
    low, high = float(plane.min()), float(plane.max())
    if not high > low:
        return high
    scale = (N_BINS - 1) / (high - low)
    bins = ((plane - np.float32(low)) * np.float32(scale)).astype(np.int32)
    counts = np.bincount(bins.ravel()).astype(float)  # the last bin holds the largest value
    split = _otsu(counts) if method == "otsu" else _minimum_cross_entropy(counts)
    level = low + (split + 1) / scale
    if correction == 1.0:
        return level
    base = background_level(plane, level)
    return base + correction * (level - base)


def foreground(plane: Plane, method: ThresholdName, correction: float = 1.0) -> Mask:
    """What lies above the global threshold."""
    return plane > threshold_level(plane, method, correction)


def _otsu(counts: np.ndarray) -> float:
    """Bin after which to split: largest variance between the classes [1]_.

    The middle of the range where several splits are equally good, as for two flat levels.

    References
    ----------
    .. [1] N. Otsu, "A threshold selection method from gray-level histograms", IEEE Trans. Syst. Man Cybern.
       9 (1979) 62-66. Eq. 18.
    """
    value = np.arange(len(counts))  # class means differ by the same wherever the bins begin
    below, below_sum = np.cumsum(counts)[:-1], np.cumsum(counts * value)[:-1]
    above, above_sum = counts.sum() - below, (counts * value).sum() - below_sum
    between = below * above * (below_sum / below - above_sum / above) ** 2
    best = np.flatnonzero(between >= between.max() * (1 - 1e-12))
    return float(best[0] + best[-1]) / 2


def _minimum_cross_entropy(counts: np.ndarray) -> float:
    """Bin after which to split: least cross-entropy between the image and its two-level version [1]_.

    All splits are tried, so unlike the iteration of [2]_ it cannot stop at a local minimum. Values are
    counted from the smallest one.

    References
    ----------
    .. [1] C. H. Li, C. K. Lee, "Minimum cross entropy thresholding", Pattern Recognit. 26 (1993) 617-625. Eq.
       9.
    .. [2] C. H. Li, P. K. S. Tam, "An iterative algorithm for minimum cross entropy thresholding", Pattern
       Recognit. Lett. 19 (1998) 771-776.
    """
    value = np.arange(len(counts)) + 0.5
    below, below_sum = np.cumsum(counts)[:-1], np.cumsum(counts * value)[:-1]
    above, above_sum = counts.sum() - below, (counts * value).sum() - below_sum
    criterion = below_sum * np.log(below_sum / below) + above_sum * np.log(above_sum / above)
    best = np.flatnonzero(criterion >= criterion.max() * (1 - 1e-12))
    return float(best[0] + best[-1]) / 2
