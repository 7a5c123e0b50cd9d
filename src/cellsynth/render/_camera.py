"""From photons to grey values: quantum efficiency, shot and read noise, gain, offset, quantisation."""

from typing import Annotated

import numpy as np
from annotated_types import Interval
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from ..core.config import Config
from ..core.grid import Grid
from ..core.rng import Key
from ..core.types import Plane
from ._noise import record

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

    binning: PositiveInt = 1
    """Pixels of the sensor that make up a pixel of the image, along each side; each is read by itself, so that read
    noise grows in proportion. 1 also where they are joined on the chip."""

    offset_counts: NonNegativeFloat = 100.0
    """Grey value without light."""

    dark_electrons: NonNegativeFloat = 0.0
    """Electrons per pixel that gather without light during an exposure, with shot noise of their own."""

    n_frames: PositiveInt = 1
    """Exposures that are averaged."""

    hot_pixels: Annotated[float, Interval(ge=0, le=0.1)] = 0.0
    """Share of the pixels of the sensor that are hot: the same ones in every slice."""

    hot_electrons: NonNegativeFloat = 300.0
    """Mean of the further dark electrons of a hot pixel (exponential)."""

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
        place = tuple(a // TILE_PX for a in box.start)
        tile = expected[box.slices]
        tile += dark_of(camera, key, place, tile.shape)
        noise[box.slices] = _electrons(tile, camera, key.child("tile", *place).generator()) - tile
    if camera.noise_blur_px > 0:
        noise = _correlate(noise, camera.noise_blur_px)
    return _grey(expected + noise, camera)


def expose_slices(photons: Plane, camera: Camera, key: Key, start: tuple[int, int, int]) -> Plane:
    """Record slices of a volume, each an exposure of the same sensor.

    Parameters
    ----------
    photons : (Z, Y, X)
        Expected photons per pixel; changed.
    start
        First voxel of the box in the grid; Y and X are whole multiples of `TILE_PX`, so that a hot pixel belongs to its
        place whatever box is asked for.

    Returns
    -------
    image : (Z, Y, X) float32 in [0, 1]
    """
    dark = np.empty(photons.shape[1:], np.float32)
    for y in range(0, photons.shape[1], TILE_PX):
        for x in range(0, photons.shape[2], TILE_PX):
            tile = dark[y : y + TILE_PX, x : x + TILE_PX]
            place = ((start[1] + y) // TILE_PX, (start[2] + x) // TILE_PX)
            tile[...] = dark_of(camera, key, place, tile.shape)
    record(
        photons,
        camera.quantum_efficiency,
        dark,
        camera.n_frames,
        camera.read_noise_electrons * camera.binning,
        camera.gain_counts_per_electron,
        camera.offset_counts,
        float(2**camera.bit_depth - 1),
        np.uint64(key.child("voxels").uint64()),
        np.array(start, np.int64),
    )
    return photons


def dark_of(camera: Camera, key: Key, place: tuple[int, ...], shape: tuple[int, ...]) -> Plane:
    """Electrons without light: of every pixel, and of the hot ones, which a tile of the sensor always has."""
    dark = np.full(shape, camera.dark_electrons, np.float32)
    if camera.hot_pixels > 0:
        rng = key.child("sensor", *place).generator()
        # Of the whole tile, so that a tile that the grid cuts has the same ones.
        is_hot = rng.random((TILE_PX,) * len(shape)) < camera.hot_pixels
        more = rng.exponential(camera.hot_electrons, is_hot.shape)
        dark += np.where(is_hot, more, 0)[tuple(slice(n) for n in shape)].astype(np.float32)
    return dark


def _electrons(expected: Plane, camera: Camera, rng: np.random.Generator) -> Plane:
    """Mean of the electrons of all frames, read noise included."""
    n = camera.n_frames
    electrons = rng.poisson(expected if n == 1 else expected * n).astype(np.float32)
    read = np.float32(camera.read_noise_electrons * camera.binning * np.sqrt(n))
    electrons += read * rng.standard_normal(expected.shape, np.float32)
    return electrons if n == 1 else electrons / np.float32(n)


def _grey(electrons: Plane, camera: Camera) -> Plane:
    top = 2**camera.bit_depth - 1
    counts = np.rint(camera.offset_counts + camera.gain_counts_per_electron * electrons)
    return (np.clip(counts, 0, top) / np.float32(top)).astype(np.float32)


def _correlate(noise: Plane, sigma_px: float) -> Plane:
    """Blur noise and restore the variance that white noise loses by it."""
    from scipy.ndimage import gaussian_filter

    impulse = np.zeros((25, 25))
    impulse[12, 12] = 1
    kept = np.sqrt((gaussian_filter(impulse, sigma_px) ** 2).sum())
    return gaussian_filter(noise, sigma_px, mode="reflect") / np.float32(kept)
