"""Noise from the images themselves: how the variance of neighbouring pixels grows with the signal."""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..core.types import Plane

N_LEVELS = 12


@dataclass(frozen=True)
class Noise:
    """Variance of a pixel's noise: `gain * (value - dark) + ...`, a line over the grey value."""

    gain: float
    """Slope of the variance over the grey value: grey levels per photoelectron. 0 where noise does not grow."""

    floor_counts: float
    """Standard deviation in the darkest part of the image, in grey levels."""

    floor_at: float
    """Grey value of that part."""

    correlation: float
    """Of the noise of neighbouring pixels, about 0 for a camera and more after resampling or compression."""


def photon_transfer(plane: Plane) -> Noise:
    """Estimate noise from one image [1]_.

    Second differences along rows cancel whatever is linear over three pixels, so what is left of them is
    noise, except on edges and texture. In bins of the local brightness the variance of the calmest part of
    the pixels is taken, and a line is laid through it.

    Parameters
    ----------
    plane : (Y, X)
        Grey levels.

    References
    ----------
    .. [1] J. Janesick, "Photon Transfer", SPIE Press 2007: mean-variance line; J. Immerkaer, "Fast noise variance
       estimation", Comput. Vis. Image Underst. 64 (1996) 300-302: the difference filter.
    """
    # Variance of [1, -2, 1] x [1, -2, 1] on white noise is 36 times that of a pixel.
    kernel = np.array([1.0, -2.0, 1.0], np.float32)
    high = ndimage.correlate1d(ndimage.correlate1d(plane, kernel, 0), kernel, 1) / 6
    local = ndimage.uniform_filter(plane, 5)
    slope = ndimage.gaussian_gradient_magnitude(plane, 1.5)
    energy = ndimage.uniform_filter(high**2, 5)
    edges = np.unique(np.quantile(local, np.linspace(0, 1, N_LEVELS + 1)))
    values, variances, weights = [], [], []
    for low, top in itertools.pairwise(edges):
        chosen = (local >= low) & (local <= top)
        if chosen.sum() < 200:
            continue
        calm = chosen & (slope <= np.quantile(slope[chosen], 0.3))
        values.append(float(local[calm].mean()))
        variances.append(float(energy[calm].mean()))
        weights.append(float(calm.sum()))
    floor = np.sqrt(max(variances[0], 0.0)) if variances else float(np.sqrt(np.median(energy)))
    at = values[0] if values else float(np.median(plane))
    return Noise(_slope(values, variances, weights), floor, at, _correlation(plane, local, slope))


def _slope(values: list[float], variances: list[float], weights: list[float]) -> float:
    """Median of the slopes from the darkest level to each of the others, weighted by distance (Theil-Sen like)."""
    if len(values) < 3 or values[-1] <= values[0]:
        return 0.0
    v, s = np.array(values), np.array(variances)
    steps = v[1:] - v[0]
    keep = steps > 0.05 * (v[-1] - v[0])
    if not keep.any():
        return 0.0
    return max(float(np.median((s[1:] - s[0])[keep] / steps[keep])), 0.0)


def _correlation(plane: Plane, local: Plane, slope: Plane) -> float:
    """Correlation of neighbours in the dark, calm part, after removing slow variation."""
    dark = (local <= np.median(local)) & (slope <= np.quantile(slope, 0.3))
    rest = plane - ndimage.gaussian_filter(plane, 3.0)
    both = dark[:, 1:] & dark[:, :-1]
    if both.sum() < 100:
        return 0.0
    variance = float((rest[dark] ** 2).mean())
    return float((rest[:, 1:] * rest[:, :-1])[both].mean()) / max(variance, 1e-12)
