"""Blur by the microscope in the plane of focus."""

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat
from scipy import fft

from ..core.config import Config
from ..core.grid import Grid
from ..core.types import Plane


class Psf(Config):
    """Point spread of a widefield microscope: diffraction, and a Gaussian for what adds to it."""

    na: PositiveFloat | None = 0.8
    """Numerical aperture; null leaves diffraction out (where the pixel size is not known)."""

    emission_nm: PositiveFloat = 520.0
    """Wavelength of the light that is seen."""

    blur_um: NonNegativeFloat = 0.0
    """Standard deviation of a Gaussian on top: slight defocus, thickness of the cell, aberrations."""


def blur(plane: Plane, psf: Psf, grid: Grid) -> Plane:
    """Convolve a 2D plane with the point spread.

    The optical transfer function of a circular aperture is applied in the frequency domain, so the Airy
    pattern is exact up to sampling [1]_. Light is mirrored at the border of the grid and its sum is kept.

    Parameters
    ----------
    plane : (Y, X)
        Photons per pixel, non-negative.

    References
    ----------
    .. [1] J. Goodman, "Introduction to Fourier Optics", 3rd ed. (2005), Eq. 6-32: the diffraction-limited OTF.
    """
    cutoff_um = 2 * psf.na / (psf.emission_nm * 1e-3) if psf.na else None
    if cutoff_um is None and psf.blur_um == 0:
        return plane
    # Far enough for the tails that matter: 3 sigma of the Gaussian and some Airy rings.
    reach_um = 4 * psf.blur_um + (6 / cutoff_um if cutoff_um else 0.0)
    pad = [min(int(np.ceil(reach_um / v)), n - 1) for v, n in zip(grid.voxel_um, plane.shape, strict=True)]
    shape = [fft.next_fast_len(n + 2 * p, real=True) for n, p in zip(plane.shape, pad, strict=True)]
    widths = [(p, s - n - p) for n, p, s in zip(plane.shape, pad, shape, strict=True)]
    padded = np.pad(plane, widths, mode="symmetric")
    spectrum = fft.rfft2(padded)
    spectrum *= _transfer((shape[0], shape[1]), grid, psf.blur_um, cutoff_um)
    result = fft.irfft2(spectrum, s=shape)
    inside = tuple(slice(p, p + n) for p, n in zip(pad, plane.shape, strict=True))
    return np.maximum(result[inside], 0.0).astype(np.float32, copy=False)


def _transfer(shape: tuple[int, int], grid: Grid, sigma_um: float, cutoff_um: float | None) -> np.ndarray:
    """Optical transfer function at the frequencies of a real FFT of `shape`."""
    fy = fft.fftfreq(shape[0], grid.voxel_um[0])[:, None]
    fx = fft.rfftfreq(shape[1], grid.voxel_um[1])[None, :]
    squared = fy**2 + fx**2
    transfer = np.exp(-2 * np.pi**2 * sigma_um**2 * squared)
    if cutoff_um:
        rho = np.minimum(np.sqrt(squared) / cutoff_um, 1.0)
        transfer *= 2 / np.pi * (np.arccos(rho) - rho * np.sqrt(1 - rho**2))
    return transfer.astype(np.float32)
