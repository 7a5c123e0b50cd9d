"""Is there anything of the size of a cell in the image? And the frame that all classical methods run in."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import numpy as np
from scipy import ndimage

from ..core.grid import Grid
from ..core.types import Image, Labels, Plane
from ._watershed import gapless
from .base import AbstractSegmenter, SegmentFn

S = TypeVar("S", bound=AbstractSegmenter)

MIN_Z = 6.0
"""Standard deviations of noise that the strongest blob must reach. The largest of 10,000 independent normal
numbers exceeds 6 once in 100,000 images; shot noise has a longer tail and uses up part of that."""

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""


def classical(
    segmenter: S, grid: Grid, method: Callable[[S, Plane, float], Labels], min_area_fraction: float
) -> SegmentFn:
    """Make the function of a classical method.

    Parameters
    ----------
    method
        (config, plane with bright cells, cell diameter in pixels) to labels, gaps allowed. It is called only
        where the image holds something of the size of a cell, and with single hot pixels removed.
    min_area_fraction
        Objects smaller than this fraction of the area of a round cell are removed.
    """
    return partial(_segment, segmenter, grid, method, min_area_fraction)


def _segment(
    segmenter: S,
    grid: Grid,
    method: Callable[[S, Plane, float], Labels],
    min_area_fraction: float,
    image: Image,
) -> Labels:
    plane = without_hot_pixels(segmenter.plane(image))
    diameter_px = segmenter.diameter_px(grid, plane)
    if not has_cells(plane, diameter_px):
        return np.zeros(plane.shape, np.int32)
    labels = method(segmenter, plane, diameter_px)
    return gapless(labels, min_area_fraction * cell_area_px(diameter_px))


def cell_area_px(diameter_px: float) -> float:
    """Area of a round cell."""
    return np.pi / 4 * diameter_px**2


def without_hot_pixels(plane: Plane) -> Plane:
    """Lower every pixel that is above all of its neighbours to the highest of them."""
    footprint = np.ones((3, 3), bool)
    footprint[1, 1] = False
    return np.minimum(plane, ndimage.maximum_filter(plane, footprint=footprint, mode="nearest"))


def noise_sigma(plane: Plane) -> float:
    """Standard deviation of white noise, from the second differences over 2 x 2 pixels.

    Smooth structure cancels in `a - b - c + d`, whose variance is 4 sigma^2; the median ignores edges. 0
    where more than half of the differences vanish (no noise, or less than a grey level of it).
    """
    if min(plane.shape) < 2:
        return 0.0
    rows, next_rows = plane[:-1:2], plane[1::2]
    difference = rows[:, :-1] - rows[:, 1:] - next_rows[:, :-1] + next_rows[:, 1:]
    return MAD_TO_SIGMA * float(np.median(np.abs(difference))) / 2


def has_cells(plane: Plane, diameter_px: float) -> bool:
    """Compare the strongest bright blob at the scale of a cell with what white noise would give.

    False for constant images, pure noise and linear gradients. Correlated noise and out-of-focus haze pass:
    they cannot be told from cells by their size.
    """
    low, high = float(plane.min()), float(plane.max())
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        return False
    sigma = noise_sigma(plane)
    # Means over blocks keep what is larger than a sixth of a cell, and cost little afterwards.
    block = max(int(diameter_px / 6), 1)
    block = min(block, *plane.shape)
    rows, columns = (n // block for n in plane.shape)
    coarse = plane[: rows * block, : columns * block].reshape(rows, block, columns, block).mean((1, 3))
    coarse = without_slope(coarse)
    scale = diameter_px / block / (2 * np.sqrt(2))  # the LoG that answers a disc of this diameter most
    response, unit = (-ndimage.gaussian_laplace(a, scale, mode="nearest") for a in (coarse, _impulse(scale)))
    noise_of_response = sigma / block * float(np.sqrt((unit**2).sum()))
    return float(response.max()) > max(MIN_Z * noise_of_response, 1e-5 * (high - low))


def without_slope(plane: Plane) -> Plane:
    """Subtract the least-squares plane: where a slope ends at the border, it looks like a blob."""
    y, x = (np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in plane.shape)
    slope_y = float((plane.mean(1) * y).sum() / max(float((y**2).sum()), 1e-9))
    slope_x = float((plane.mean(0) * x).sum() / max(float((x**2).sum()), 1e-9))
    return (plane - slope_y * y[:, None] - slope_x * x).astype(np.float32)


def _impulse(scale: float) -> np.ndarray:
    impulse = np.zeros((2 * int(4 * scale + 1) + 1,) * 2, np.float32)
    impulse[impulse.shape[0] // 2, impulse.shape[1] // 2] = 1
    return impulse
