"""Light around the focus of a lens, by the scalar theory of diffraction."""

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import map_coordinates
from scipy.special import j0

from .base import check_size

_N_PUPIL = 400
"""Rings of the pupil that are summed."""

_FINER = 4
"""Radii computed per pixel."""


def check_aperture(na: float, immersion: float) -> None:
    """Refuse an aperture that no lens in this immersion has."""
    if na >= immersion:
        raise ValueError(
            f"na is {na:g}; an aperture is below the refractive index of the immersion, {immersion:g}"
        )


def intensity_around_focus(
    na: float,
    emission_nm: float,
    immersion: float,
    sample: float,
    depth_um: float,
    z_um: Float64[np.ndarray, " z"],
    radius_um: Float64[np.ndarray, " r"],
) -> Float64[np.ndarray, "z r"]:
    """Intensity at heights above the focus and distances from the axis, by Gibson and Lanni's model [1]_.

    |integral over the pupil of J0(k NA r rho) exp(i W) rho d rho|^2, where the phase W is that of defocus in the
    immersion medium, and of the path through a sample of another refractive index. With equal indices or at no depth
    it is the model of Born and Wolf [2]_ with the exact phase of defocus. The design of the lens and the cover glass
    are taken to be as meant.

    Parameters
    ----------
    depth_um
        Of the point below the cover glass.
    z_um
        Of the stage, relative to the point's nominal focus.

    References
    ----------
    .. [1] S. Gibson, F. Lanni, "Experimental test of an analytical model of aberration in an oil-immersion objective
       lens used in three-dimensional light microscopy", J. Opt. Soc. Am. A 9 (1992) 154-166, Eqs. 3 to 5.
    .. [2] M. Born, E. Wolf, "Principles of Optics", 7th ed., section 8.8.
    """
    wave = 2 * np.pi / (emission_nm * 1e-3)
    rho = (np.arange(_N_PUPIL) + 0.5) / _N_PUPIL
    # Where the sample has an index below the aperture, light beyond the critical angle does not pass.
    passes = (na * rho < sample) if depth_um > 0 else np.ones(_N_PUPIL, bool)
    rho = rho[passes]
    in_immersion = np.sqrt(immersion**2 - (na * rho) ** 2)
    phase = z_um[:, None] * in_immersion
    if depth_um > 0:
        in_sample = np.sqrt(sample**2 - (na * rho) ** 2)
        # The stage has moved by depth * immersion / sample to have the point in its nominal focus.
        phase = phase + depth_um * (in_sample - immersion / sample * in_immersion)
    waves = np.exp(1j * wave * phase) * rho
    rings = j0(wave * na * np.outer(rho, radius_um))
    return np.abs(waves @ rings) ** 2


def kernel_of(
    na: float,
    emission_nm: float,
    immersion: float,
    sample: float,
    depth_um: float,
    voxel_um: tuple[float, float, float],
    reach_um: tuple[float, float],
) -> Float64[np.ndarray, "z y x"]:
    """The model on voxels, integrated over their area within a slice, the brightest plane in the middle.

    Aberration shifts the focus along the depth; an image is taken to be put where its objects are, so the shift is
    taken away. Not normalised.

    Parameters
    ----------
    reach_um
        How far to go along the depth, and within a slice.
    """
    check_size((reach_um[0], reach_um[1], reach_um[1]), voxel_um)
    n_z, n_y, n_x = (
        int(np.ceil(r / v)) for r, v in zip((reach_um[0], *(reach_um[1],) * 2), voxel_um, strict=True)
    )
    shift = _brightest_um(na, emission_nm, immersion, sample, depth_um, reach_um[0])
    z = np.arange(-n_z, n_z + 1) * voxel_um[0] + shift
    step = min(voxel_um[1:]) / _FINER
    longest = np.hypot((n_y + 1) * voxel_um[1], (n_x + 1) * voxel_um[2])
    radii = np.arange(int(np.ceil(longest / step)) + 2) * step
    profile = intensity_around_focus(na, emission_nm, immersion, sample, depth_um, z, radii)
    # Points within each pixel, whose mean is the light that falls on it.
    offsets = (np.arange(_FINER) + 0.5) / _FINER - 0.5
    y = (np.arange(-n_y, n_y + 1)[:, None] + offsets).ravel() * voxel_um[1]
    x = (np.arange(-n_x, n_x + 1)[:, None] + offsets).ravel() * voxel_um[2]
    distance = np.hypot(*np.meshgrid(y, x, indexing="ij")) / step
    planes = [map_coordinates(row, distance[None], order=1, mode="nearest") for row in profile]
    shape = (2 * n_y + 1, _FINER, 2 * n_x + 1, _FINER)
    return np.stack([plane.reshape(shape).mean(axis=(1, 3)) for plane in planes])


def _brightest_um(
    na: float, emission_nm: float, immersion: float, sample: float, depth_um: float, reach_um: float
) -> float:
    """Height of the brightest point on the axis."""
    if depth_um == 0 or sample == immersion:
        return 0.0
    reach = reach_um + depth_um * abs(sample - immersion)
    z = np.linspace(-reach, reach, 2001)
    on_axis = intensity_around_focus(na, emission_nm, immersion, sample, depth_um, z, np.zeros(1))[:, 0]
    return float(z[np.argmax(on_axis)])
