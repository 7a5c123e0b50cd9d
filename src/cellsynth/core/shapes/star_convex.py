"""Star-convex bodies with a smooth outline: nuclei and round cells."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer
from numba import njit

from ..canvas import Canvas
from ..grid import Grid
from ..lattice import uniform
from ..scene import AbstractShape, Objects
from ..types import Points
from ._frame import claim, half_extents_of_ellipsoids, local_offset, span_in_row, stage, to_3d

_N_POLES = {2: 4, 3: 8}
"""Directions that the harmonics of an object are laid around, by dimension."""

_LARGEST = 3.0
"""Deviations are cut at so many standard deviations: one direction in 400. It bounds how far an object reaches."""

MAX_DEGREE = 12


@dataclass(frozen=True)
class StarConvex(AbstractShape):
    """Ellipsoids whose radius is modulated by random harmonics of the direction.

    In the frame of the object, in semi-axes, the radius along a unit direction `d` is `(1 + h(d)) / c`. In 2D `h` is
    a Fourier series; in 3D a series of spherical harmonics, made as sums of Legendre polynomials of the cosine to
    random poles, which by the addition theorem span the harmonics of each degree. Degree 1, which moves the body, is
    left out. The constant `c` keeps the volume: exactly in 2D, on average over objects in 3D.

    The scaled distance is that to the centre over the radius.

    References
    ----------
    .. [1] C. Brechbuhler, G. Gerig, O. Kubler, "Parametrization of closed surfaces for 3-D shape description",
       Computer Vision and Image Understanding 61 (1995) 154-170: spherical harmonics of cells' outlines.
    .. [2] M. Weigert et al., "Star-convex polyhedra for 3D object detection and segmentation in microscopy", WACV
       2020: that nuclei are star-convex.
    """

    amplitude: float = 0.1
    """Standard deviation of the radius, relative to its mean; 0 to 0.3."""

    degrees: int = 6
    """Highest degree: about how many bumps around the outline. At least 2."""

    decay: float = 1.5
    """The amplitude of degree l falls as `l ** -decay`."""

    def __post_init__(self) -> None:
        if not 0 <= self.amplitude <= 0.3:
            raise ValueError(f"amplitude is between 0 and 0.3; saw {self.amplitude}")
        if not 2 <= self.degrees <= MAX_DEGREE:
            raise ValueError(f"degrees is between 2 and {MAX_DEGREE}; saw {self.degrees}")

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there."""
        centre, axes, rotation = to_3d(objects, canvas.grid)
        half = half_extents_of_ellipsoids(axes, rotation, self._reach)
        _fill(
            *stage(canvas, ids, centre, axes, rotation, half),
            objects.key,
            canvas.grid.ndim,
            self._sd_of_degrees(canvas.grid.ndim),
            _to_powers(self.degrees, canvas.grid.ndim),
            _N_POLES[canvas.grid.ndim],
            _LARGEST * self.amplitude,
        )

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the ellipsoid with the largest deviation all around."""
        return half_extents_of_ellipsoids(objects.semi_axes_um, objects.rotation, self._reach)

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """1: kept on average."""
        return np.ones(len(objects))

    @property
    def _reach(self) -> float:
        return 1 + _LARGEST * self.amplitude

    def _sd_of_degrees(self, ndim: int) -> Float[np.ndarray, " degrees_and_one"]:
        """Standard deviation of the coefficient of each degree and pole, so that of the sum is the amplitude.

        The mean square over all directions of `cos(l t)` is 1/2, of the Legendre polynomial of degree l 1/(2l + 1).
        """
        degree = np.arange(self.degrees + 1)
        weight = np.where(degree >= 2, np.maximum(degree, 1.0) ** -self.decay, 0.0)
        weight /= np.sqrt((weight**2).sum())
        mean_square = np.full(len(degree), 0.5) if ndim == 2 else 1 / (2 * degree + 1)
        return self.amplitude * weight / np.sqrt(mean_square * _N_POLES[ndim])


def _to_powers(degrees: int, ndim: int) -> Float[np.ndarray, "degrees_and_one powers"]:
    """Row l: the Chebyshev polynomial (`cos(l t)` of `cos(t)`; 2D) or the Legendre one (3D), in powers."""
    family = np.polynomial.chebyshev.cheb2poly if ndim == 2 else np.polynomial.legendre.leg2poly
    rows = np.zeros((degrees + 1, degrees + 1))
    for degree in range(degrees + 1):
        rows[degree, : degree + 1] = family(np.eye(degree + 1)[degree])
    return rows


@njit(cache=True, nogil=True)
def _lay_harmonics(key, ndim, sd, to_powers, pole, power):
    """Choose the poles of an object and the polynomial around each; give `c` (see the class)."""
    n_poles, n_degrees = power.shape
    coefficient = np.zeros((n_poles, n_degrees))
    for m in range(n_poles):
        height = 0.0 if ndim == 2 else 2.0 * uniform(key, m, 40) - 1.0
        width, angle = math.sqrt(1.0 - height * height), 2.0 * math.pi * uniform(key, m, 41)
        pole[m, 0], pole[m, 1], pole[m, 2] = height, width * math.sin(angle), width * math.cos(angle)
        for degree in range(2, n_degrees):
            # Uniform with a standard deviation of 1: no outliers.
            number = math.sqrt(3.0) * (2.0 * uniform(key, m * n_degrees + degree, 42) - 1.0)
            coefficient[m, degree] = sd[degree] * number
    power[:] = 0.0
    for m in range(n_poles):
        for degree in range(2, n_degrees):
            for k in range(degree + 1):
                power[m, k] += coefficient[m, degree] * to_powers[degree, k]
    # Mean square of the deviation over all directions: harmonics of one degree around two poles correlate as the
    # harmonic of the angle between the poles; those of different degrees do not.
    mean_square = 0.0
    for degree in range(2, n_degrees):
        norm = 0.5 if ndim == 2 else 1.0 / (2 * degree + 1)
        for m in range(n_poles):
            for other in range(n_poles):
                cosine = (pole[m] * pole[other]).sum()
                value = 0.0
                for k in range(degree, -1, -1):
                    value = value * cosine + to_powers[degree, k]
                mean_square += norm * coefficient[m, degree] * coefficient[other, degree] * value
    return math.sqrt(1.0 + mean_square) if ndim == 2 else (1.0 + 3.0 * mean_square) ** (1.0 / 3.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    owner,
    nearness,
    start,
    voxel,
    ids,
    low,
    high,
    centre,
    axes,
    rotation,
    keys,
    ndim,
    sd,
    to_powers,
    n_poles,
    largest,
):
    pole, power = np.empty((n_poles, 3)), np.empty((n_poles, sd.size))
    for i in range(ids.size):
        turn, axis = rotation[i], axes[i]
        if (high[i] <= low[i]).any():
            continue
        scale = _lay_harmonics(keys[i], ndim, sd, to_powers, pole, power)
        reach = (1.0 + largest) / scale
        for z in range(low[i, 0], high[i, 0]):
            dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
            for y in range(low[i, 1], high[i, 1]):
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                first = (start[2] + 0.5) * voxel[2] - centre[i, 2]
                begin, end = span_in_row(turn, axis, reach, dz, dy, first, voxel[2], low[i, 2], high[i, 2])
                for x in range(begin, end):
                    dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                    u, v, w = local_offset(turn, axis, dz, dy, dx)
                    distance = math.sqrt(u * u + v * v + w * w)
                    # Neither too far to be inside, nor too far to win.
                    if distance >= reach * nearness[z, y, x] * (1.0 + 1e-6):
                        continue
                    if distance > 0.0:
                        deviation = 0.0
                        for m in range(n_poles):
                            cosine = (u * pole[m, 0] + v * pole[m, 1] + w * pole[m, 2]) / distance
                            value = 0.0
                            for k in range(sd.size - 1, -1, -1):
                                value = value * cosine + power[m, k]
                            deviation += value
                        distance *= scale / (1.0 + min(max(deviation, -largest), largest))
                    claim(owner, nearness, z, y, x, distance, ids[i])
