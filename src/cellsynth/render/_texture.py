"""Light that cells emit before the optics: profile, texture, and the smooth fields around them."""

import math
from typing import Annotated

import numpy as np
from annotated_types import Interval
from numba import njit
from pydantic import PositiveFloat

from ..core.config import Config
from ..core.grid import Grid
from ..core.lattice import fill_noise, noise
from ..core.scene import Objects
from ..core.shapes import to_3d
from ..core.types import Labels, Plane


class Texture(Config):
    """How brightness varies inside of a cell."""

    contrast: Annotated[float, Interval(ge=0, le=1)] = 0.2
    """Standard deviation of the brightness inside of a cell, relative to its mean."""

    scale_um: PositiveFloat = 2.0
    """Size of the grains: distance of the lattice points of the coarser of two layers of noise."""

    dome: Annotated[float, Interval(ge=0, le=1)] = 0.5
    """0: as bright at the rim as in the middle (flat cell, confocal); 1: as thick as an ellipsoid (widefield)."""


def emission(labels: Labels, objects: Objects, grid: Grid, texture: Texture) -> Plane:
    """Brightness per voxel: 1 on average in a cell of intensity 1, 0 in the background.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X)
        Of the whole grid.

    Notes
    -----
    The profile mixes a flat disc with the thickness of an ellipsoid, scaled to a mean of 1 over the cell. The
    texture is two octaves of lattice noise in the cell's own frame, so it turns and moves with the cell.
    """
    centre, axes, rotation = to_3d(objects, grid)
    volume = labels.reshape((1,) * (3 - grid.ndim) + labels.shape)
    voxel = np.array((1.0,) * (3 - grid.ndim) + grid.voxel_um)
    out = np.zeros(volume.shape, np.float32)
    # Mean of sqrt(1 - r^2) over a disc is 2/3, over a ball 3 pi / 16.
    mean_dome = 2 / 3 if grid.ndim == 2 else 3 * math.pi / 16
    _shade(
        out,
        volume,
        voxel,
        centre,
        axes,
        rotation,
        objects.key,
        objects.intensity,
        texture.dome,
        mean_dome,
        texture.contrast / _NOISE_SD,
        1.0 / texture.scale_um,
    )
    return out.reshape(labels.shape)


def smooth_field(grid: Grid, key: int, length_um: float) -> Plane:
    """Random field in about [-1, 1] over the grid that varies over `length_um`; (Y, X)."""
    step = np.array([1.0, *grid.voxel_um]) / length_um
    # Evaluated coarsely and interpolated: nothing in it is finer than a fraction of `length_um`.
    stride = max(1, int(length_um / min(grid.voxel_um) / 12))
    n = [math.ceil(s / stride) + 1 for s in grid.shape_px]
    coarse = np.empty((1, *n), np.float32)
    fill_noise(coarse, np.uint64(key), np.array([0.37, 0.0, 0.0]), step * np.array([1.0, stride, stride]))
    return _enlarge(coarse[0], (stride, stride), grid.shape_px, is_centred=False)


def haze(light: Plane, length_px: float) -> Plane:
    """Spread light widely, as the out-of-focus light of a widefield microscope; (Y, X), same sum.

    A Gaussian of `length_px`, computed on a coarse copy of the plane; light is mirrored at the border.
    """
    from scipy.ndimage import gaussian_filter

    stride = max(1, min(int(length_px / 4), min(light.shape) // 8))
    n_cells = [math.ceil(n / stride) for n in light.shape]
    steps = [n / m for n, m in zip(light.shape, n_cells, strict=True)]
    coarse = np.zeros(n_cells)
    _shrink_into(coarse, light, *steps)
    sigma = [length_px / step for step in steps]
    coarse = gaussian_filter(coarse, sigma, mode="reflect")  # keeps the sum
    return _enlarge(coarse, (steps[0], steps[1]), light.shape, is_centred=True)


# Standard deviation of _grain over the plane z = 0, where 2D scenes lie, and over keys; a test measures it.
_NOISE_SD = 0.396


@njit(cache=True, inline="always")
def _grain(key, z, y, x):
    return (
        noise(key, z, y, x) * 0.8
        + noise(key + np.uint64(1), 2.0 * z + 0.5, 2.0 * y + 0.5, 2.0 * x + 0.5) * 0.5
    )


@njit(cache=True)
def _shade(
    out, labels, voxel, centre, axes, rotation, keys, intensity, dome, mean_dome, amplitude, frequency
):
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                i = labels[z, y, x] - 1
                if i < 0:
                    continue
                dz = (z + 0.5) * voxel[0] - centre[i, 0]
                dy = (y + 0.5) * voxel[1] - centre[i, 1]
                dx = (x + 0.5) * voxel[2] - centre[i, 2]
                u = dz * rotation[i, 0, 0] + dy * rotation[i, 1, 0] + dx * rotation[i, 2, 0]
                v = dz * rotation[i, 0, 1] + dy * rotation[i, 1, 1] + dx * rotation[i, 2, 1]
                w = dz * rotation[i, 0, 2] + dy * rotation[i, 1, 2] + dx * rotation[i, 2, 2]
                r2 = (u / axes[i, 0]) ** 2 + (v / axes[i, 1]) ** 2 + (w / axes[i, 2]) ** 2
                # A rough outline reaches beyond the ellipsoid; it keeps some thickness there.
                profile = 1.0 - dome + dome * math.sqrt(max(1.0 - r2, 0.01)) / mean_dome
                if amplitude > 0.0:
                    grain = _grain(keys[i], u * frequency, v * frequency, w * frequency)
                    profile *= max(1.0 + amplitude * grain, 0.1)
                out[z, y, x] = intensity[i] * profile


@njit(cache=True)
def _enlarge_into(out, coarse, step_y, step_x, shift):
    for y in range(out.shape[0]):
        fy = max((y + shift) / step_y - shift, 0.0)
        iy = int(fy)
        ty = fy - iy
        for x in range(out.shape[1]):
            fx = max((x + shift) / step_x - shift, 0.0)
            ix = int(fx)
            tx = fx - ix
            top = coarse[iy, ix] * (1.0 - tx) + coarse[iy, ix + 1] * tx
            bottom = coarse[iy + 1, ix] * (1.0 - tx) + coarse[iy + 1, ix + 1] * tx
            out[y, x] = top * (1.0 - ty) + bottom * ty


@njit(cache=True, inline="always")
def _first_cell(pixel, step, n_cells):
    """Cell that the left edge of a pixel lies in, and the share of the pixel in it."""
    cell = min(int(pixel / step), n_cells - 1)
    return cell, min((cell + 1) * step - pixel, 1.0) if cell < n_cells - 1 else 1.0


@njit(cache=True)
def _shrink_into(out, plane, step_y, step_x):
    """Mean over cells of at least a pixel; a pixel that lies in two cells counts for both in part."""
    for y in range(plane.shape[0]):
        iy, ty = _first_cell(y, step_y, out.shape[0])
        for x in range(plane.shape[1]):
            ix, tx = _first_cell(x, step_x, out.shape[1])
            value = plane[y, x] / (step_y * step_x)
            out[iy, ix] += value * ty * tx
            if tx < 1.0:
                out[iy, ix + 1] += value * ty * (1.0 - tx)
            if ty < 1.0:
                out[iy + 1, ix] += value * (1.0 - ty) * tx
                if tx < 1.0:
                    out[iy + 1, ix + 1] += value * (1.0 - ty) * (1.0 - tx)


def _enlarge(
    coarse: np.ndarray, steps: tuple[float, float], shape: tuple[int, ...], *, is_centred: bool
) -> np.ndarray:
    """Linear interpolation of values for every `steps` pixels: each of a whole cell, or of its first pixel."""
    coarse = np.pad(coarse, ((0, 1), (0, 1)), mode="edge")
    out = np.empty(shape, np.float32)
    _enlarge_into(out, coarse.astype(np.float32), *steps, 0.5 if is_centred else 0.0)
    return out
