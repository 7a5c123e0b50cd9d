"""From photons to grey values: quantum efficiency, shot and read noise, gain, offset, quantisation."""

from typing import Annotated

import numpy as np
from annotated_types import Interval
from pydantic import NonNegativeFloat, PositiveFloat

from ..core.config import Config
from ..core.grid import Grid
from ..core.rng import Key
from ..core.types import Plane

TILE_PX = 256
"""Noise is drawn per tile of a fixed lattice, so it does not depend on which part of the grid is asked for."""


class Camera(Config):
    """A camera that counts photons."""

    bit_depth: Annotated[int, Interval(ge=8, le=16)] = 12
    """Grey levels are 0 to 2^bit_depth - 1; up to 8 bits are stored as uint8, more as uint16."""

    quantum_efficiency: Annotated[float, Interval(gt=0, le=1)] = 0.8
    """Electrons per photon."""

    gain_counts_per_electron: PositiveFloat = 1.0
    """Grey levels per electron."""

    read_noise_electrons: NonNegativeFloat = 2.0
    """Standard deviation of the noise of reading a pixel."""

    offset_counts: NonNegativeFloat = 100.0
    """Grey value without light."""

    noise_blur_px: Annotated[float, Interval(ge=0, le=3)] = 0.0
    """Correlation of the noise between neighbours (Gaussian sigma), as left by resampling or compression of the
    file; the variance of a pixel is kept."""


def expose(photons: Plane, camera: Camera, grid: Grid, key: Key) -> Plane:
    """Record an image.

    Parameters
    ----------
    photons : (Y, X)
        Expected photons per pixel and exposure, non-negative.

    Returns
    -------
    image : (Y, X) float32 in [0, 1]
        Whole grey values divided by the largest one.
    """
    expected = photons * np.float32(camera.quantum_efficiency)
    noise = np.empty_like(expected)
    for box in grid.boxes((TILE_PX,) * grid.ndim):
        rng = key.child("tile", *(a // TILE_PX for a in box.start)).generator()
        tile = expected[box.slices]
        electrons = rng.poisson(tile).astype(np.float32)
        electrons += np.float32(camera.read_noise_electrons) * rng.standard_normal(tile.shape, np.float32)
        noise[box.slices] = electrons - tile
    if camera.noise_blur_px > 0:
        noise = _correlate(noise, camera.noise_blur_px)
    top = 2**camera.bit_depth - 1
    counts = np.rint(camera.offset_counts + camera.gain_counts_per_electron * (expected + noise))
    return (np.clip(counts, 0, top) / np.float32(top)).astype(np.float32)


def _correlate(noise: Plane, sigma_px: float) -> Plane:
    """Blur noise and restore the variance that white noise loses by it."""
    from scipy.ndimage import gaussian_filter

    impulse = np.zeros((25, 25))
    impulse[12, 12] = 1
    kept = np.sqrt((gaussian_filter(impulse, sigma_px) ** 2).sum())
    return gaussian_filter(noise, sigma_px, mode="reflect") / np.float32(kept)
