"""Statistics of microscopy images that need no training: spectrum, grey values, gradients, sizes, cells."""

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval, MinLen
from jaxtyping import Float64
from pydantic import PositiveInt
from scipy import ndimage

from ...core.errors import InputError
from ...core.types import Labels
from ._set import Picture, PictureSet
from .base import AbstractFeatures, FeatureFn, Features, registry

Shares = Annotated[tuple[Annotated[float, Interval(ge=0, le=1)], ...], MinLen(1)]
Plane = Float64[np.ndarray, "*zyx"]

_FAINTEST_SHARE = 1e-6
"""Shares are compared on a logarithmic scale; below this, they count as this."""


@registry.register
class Microscopy(AbstractFeatures):
    """Statistics that a microscopist would look at, per channel, in pixels and shares of the data range.

    - `spectrum`: logarithm of the share of the variance in rings of spatial frequency.
    - `intensity`: quantiles of the grey values.
    - `gradient`: quantiles of the gradient magnitude after blurring by one pixel.
    - `correlation`: logarithm of the lag at which the autocorrelation falls to 1/e.
    - `bright_sizes`, `dark_sizes`: granulometry, the share of the brightness above the minimum (below the maximum)
      that openings (closings) of growing size remove.
    - `cells`, where labels are used: logarithm of the number per million voxels, mean and spread of the logarithm of
      the size, mean ratio of axes, contrast to the background, mean variation inside.
    """

    kind: Literal["microscopy"] = "microscopy"

    n_rings: PositiveInt = 16
    """Rings of equal width from frequency 0 to 0.5 per pixel."""

    intensity_shares: Shares = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    """Quantiles of the grey values."""

    gradient_shares: Shares = (0.5, 0.75, 0.9, 0.95, 0.99)
    """Quantiles of the gradient magnitude."""

    sizes_px: Annotated[tuple[PositiveInt, ...], MinLen(1)] = (3, 5, 9, 17, 33)
    """Edges of the square (cube) of each opening, ascending and odd."""

    uses_labels: bool = False
    """Describe the cells as well; every image then needs labels with a cell."""

    def build(self, device: str = "cpu") -> FeatureFn:
        return self._features

    def _features(self, pictures: PictureSet) -> Features:
        if self.uses_labels and pictures.labels is None:
            raise InputError(
                "microscopy features with uses_labels need labels of every image; some have none"
            )
        rows, components = [], []
        for i, picture in enumerate(pictures):
            named = [part for plane in picture.image for part in self._of_plane(plane)]
            if self.uses_labels:
                named.append(("cells", of_cells(picture, f"image {i}")))
            rows.append(np.concatenate([values for _, values in named]))
            components = [name for name, values in named for _ in values]
        return Features(np.array(rows), tuple(components))

    def _of_plane(self, plane: Plane) -> list[tuple[str, np.ndarray]]:
        power = power_spectrum(plane)
        gradient = ndimage.gaussian_gradient_magnitude(plane, 1.0)
        bright, dark = plane - plane.min(), plane.max() - plane
        return [
            ("spectrum", ring_shares(power, plane.shape, self.n_rings)),
            ("intensity", np.quantile(plane, self.intensity_shares)),
            ("gradient", np.quantile(gradient, self.gradient_shares)),
            ("correlation", np.array([np.log(correlation_length_px(power, plane.shape))])),
            ("bright_sizes", removed_shares(bright, self.sizes_px)),
            ("dark_sizes", removed_shares(dark, self.sizes_px)),
        ]


def power_spectrum(plane: Plane) -> np.ndarray:
    """Power of the half of the frequencies that a real transform keeps; a Hann window hides the border."""
    window = np.ones(plane.shape)
    for axis, n in enumerate(plane.shape):
        shape = [1] * plane.ndim
        shape[axis] = n
        window = window * np.hanning(n + 2)[1:-1].reshape(shape)  # a single plane stays
    values = (plane - (plane * window).sum() / window.sum()) * window
    return np.abs(np.fft.rfftn(values)) ** 2


def ring_shares(power: np.ndarray, shape: tuple[int, ...], n_rings: int) -> Float64[np.ndarray, " f"]:
    """Logarithm of the share of the variance in each ring; the corners beyond 0.5 per pixel are left out."""
    last = shape[-1]
    counted = power.copy()
    counted[..., 1 : (last + 1) // 2] *= 2  # frequencies whose mirror image a real transform leaves out
    axes = [np.fft.fftfreq(n) for n in shape[:-1]] + [np.fft.rfftfreq(last)]
    squared = sum(f**2 for f in np.meshgrid(*axes, indexing="ij", sparse=True))
    ring = np.minimum((np.sqrt(squared) * 2 * n_rings).astype(int), n_rings)
    totals = np.bincount(ring.ravel(), counted.ravel(), n_rings + 1)[:n_rings]
    whole = totals.sum()
    shares = totals / whole if whole > 0 else np.zeros(n_rings)
    return np.log(np.maximum(shares, _FAINTEST_SHARE))


def correlation_length_px(power: np.ndarray, shape: tuple[int, ...]) -> float:
    """Lag at which the autocorrelation, mean over the axes, falls to 1/e; 1 for a constant image."""
    correlation = np.fft.irfftn(power, shape, axes=range(len(shape)))
    variance = correlation.flat[0]
    longest = max(2, min(n for n in shape if n > 1) // 2) if max(shape) > 1 else 1
    if variance <= 1e-20:
        return 1.0
    curves = []
    for axis, n in enumerate(shape):
        if n > 1:
            index: list[int | slice] = [0] * len(shape)
            index[axis] = slice(0, longest)
            curves.append(correlation[tuple(index)] / variance)
    curve = np.mean(curves, axis=0)
    below = np.flatnonzero(curve < 1 / math.e)
    if len(below) == 0:
        return float(longest)
    k = int(below[0])
    before, after = curve[k - 1], curve[k]
    return max(1e-3, float(k - 1 + (before - 1 / math.e) / (before - after)))


def removed_shares(plane: Plane, sizes_px: tuple[int, ...]) -> Float64[np.ndarray, " s"]:
    """Share of the brightness that the opening of each size removes beyond the one before; 0 for a black image."""
    total = plane.sum()
    if total <= 0:
        return np.zeros(len(sizes_px))
    left = [total, *(ndimage.grey_opening(plane, size=size).sum() for size in sizes_px)]
    return -np.diff(left) / total


def of_cells(picture: Picture, name: str) -> Float64[np.ndarray, " k"]:
    """Statistics of the cells of one image, brightness by its first channel."""
    labels, plane = picture.labels, picture.image[0]
    assert labels is not None  # the set was asked before
    ids, flat = np.unique(labels, return_inverse=True)
    flat = flat.reshape(-1)
    sizes = np.bincount(flat)
    is_cell = ids > 0
    if not is_cell.any():
        raise InputError(f"{name} has labels without a cell; leave it out, or turn uses_labels off")
    means = np.bincount(flat, plane.ravel()) / sizes
    variances = np.maximum(np.bincount(flat, plane.ravel() ** 2) / sizes - means**2, 0)
    areas, inside = sizes[is_cell], means[is_cell]
    background = means[~is_cell][0] if (~is_cell).any() else 0.0
    log_areas = np.log(areas)
    variation = np.sqrt(variances[is_cell]) / np.maximum(inside, 1e-9)
    return np.array(
        [
            np.log(len(areas) / labels.size * 1e6),
            log_areas.mean(),
            log_areas.std(),
            np.mean(axis_ratios(labels, flat, sizes)[is_cell]),
            inside.mean() - background,
            variation.mean(),
        ]
    )


def axis_ratios(labels: Labels, flat: np.ndarray, sizes: np.ndarray) -> Float64[np.ndarray, " n"]:
    """Shortest over longest axis of the ellipsoid of equal second moments, of every id; 1 for a single voxel."""
    positions = np.stack([axis.ravel() for axis in np.indices(labels.shape, dtype=float)])
    ndim = len(positions)
    centres = np.stack([np.bincount(flat, p) / sizes for p in positions])
    moments = np.empty((len(sizes), ndim, ndim))
    for i in range(ndim):
        for j in range(i + 1):
            product = np.bincount(flat, (positions[i] - centres[i][flat]) * (positions[j] - centres[j][flat]))
            moments[:, i, j] = moments[:, j, i] = product / sizes
    moments += np.eye(ndim) / 12  # a voxel has an extent of its own
    axes = np.sqrt(np.linalg.eigvalsh(moments))
    return axes[:, 0] / axes[:, -1]
