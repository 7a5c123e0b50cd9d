"""Light that cells emit before the optics: profile, texture, and the smooth fields around them."""

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np
from annotated_types import Interval
from numba import njit
from pydantic import PositiveFloat

from ..core.config import Config
from ..core.grid import Box, Grid
from ..core.lattice import noise, uniform
from ..core.scene import Objects, Scene
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


def glow(scene: Scene, labels: Labels, texture: Texture, box: Box | None = None) -> Plane:
    """Brightness per voxel: 1 on average in an object of intensity 1, 0 in the background.

    Real cells bring their own texture; all others have the one that is given.

    Parameters
    ----------
    labels
        What the scene draws in `box`, by default the whole grid.
    """
    box = box or scene.grid.box
    known = scene.shape.texture(labels, scene.objects, scene.grid, box)
    if known is None:
        return emission(labels, scene.objects, scene.grid, texture, box.start)
    intensity = np.concatenate([[0], scene.objects.intensity]).astype(np.float32)[labels]
    is_unknown = np.isnan(known)
    light = np.where(is_unknown, 0, known * intensity)
    if is_unknown.any():
        others = np.where(is_unknown, labels, 0)
        light += emission(others, scene.objects, scene.grid, texture, box.start)
    return light


def emission(
    labels: Labels, objects: Objects, grid: Grid, texture: Texture, start: tuple[int, ...] | None = None
) -> Plane:
    """Brightness per voxel: 1 on average in a cell of intensity 1, 0 in the background.

    Parameters
    ----------
    labels : (Z, Y, X) or (Y, X)
        Of the whole grid, or of a box of it.
    start
        First voxel of the box; by default that of the grid.

    Notes
    -----
    The profile mixes a flat disc with the thickness of an ellipsoid, scaled to a mean of 1 over the cell. The
    texture is the exponential of two octaves of lattice noise in the cell's own frame: it turns and moves with the
    cell, and strong texture is bright specks rather than holes, as chromocentres are.
    """
    centre, axes, rotation = to_3d(objects, grid)
    volume = labels.reshape((1,) * (3 - grid.ndim) + labels.shape)
    voxel = np.array((1.0,) * (3 - grid.ndim) + grid.voxel_um)
    out = np.zeros(volume.shape, np.float32)
    # Mean of sqrt(1 - r^2) over a disc is 2/3, over a ball 3 pi / 16.
    mean_dome = 2 / 3 if grid.ndim == 2 else 3 * math.pi / 16
    # Brightness is log-normal inside of a cell; `level` brings its mean back to 1.
    log_sd = math.sqrt(math.log1p(texture.contrast**2))
    _shade(
        out,
        volume,
        np.array((0,) * (3 - grid.ndim) + (start or (0,) * grid.ndim), np.int64),
        voxel,
        centre,
        axes,
        rotation,
        objects.key,
        objects.intensity,
        texture.dome,
        mean_dome,
        log_sd / _NOISE_SD,
        log_sd**2 / 2,
        1.0 / texture.scale_um,
    )
    return out.reshape(labels.shape)


def smooth_field(grid: Grid, key: int, length_um: float) -> Plane:
    """Random field in about [-1, 1] over the grid that varies over `length_um`; (Y, X)."""
    return _field(grid, key, length_um, finest=1 / 12, fill=_fill_plain)


def faint_structures(grid: Grid, key: int, length_um: float) -> Plane:
    """Sparse field of smooth blots and strands about `length_um` wide, 0 nearly everywhere; (Y, X).

    Noise whose coordinates are bent by other noise and stretched along one direction, as cell bodies lie along
    each other; its positive half is squared. One place in a hundred is above 1.
    """
    field = _field(grid, key, length_um, finest=1 / 16, fill=_fill_bent)
    return np.maximum(field, 0) ** 2 / np.float32(_FAINT_TOP)


def _field(grid: Grid, key: int, length_um: float, *, finest: float, fill: Callable[..., None]) -> Plane:
    """A field over the grid, evaluated coarsely and interpolated: nothing in it is finer than a part of its length."""
    voxel = np.array(grid.voxel_um)
    stride = max(1, int(length_um / voxel.min() * finest))
    coarse = np.empty([math.ceil(s / stride) + 1 for s in grid.shape_px], np.float32)
    fill(coarse, np.uint64(key), voxel * stride / length_um)
    return _enlarge(coarse, (stride, stride), grid.shape_px, is_centred=False)


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
_NOISE_SD = 0.2385

# What one value in a hundred of the squared positive half of the bent field exceeds; a test measures it.
_FAINT_TOP = 0.351


@njit(cache=True, inline="always")
def _grain(key, z, y, x):
    return (
        noise(key, z, y, x) * 0.8
        + noise(key + np.uint64(1), 2.0 * z + 0.5, 2.0 * y + 0.5, 2.0 * x + 0.5) * 0.5
    )


@njit(cache=True, nogil=True)
def _fill_plain(out, key, step):
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = noise(key, 0.0, i * step[0], j * step[1])


@njit(cache=True, nogil=True)
def _fill_bent(out, key, step):
    angle = 2.0 * math.pi * uniform(key, 0, 20)
    stretch = 1.0 + 3.0 * uniform(key, 1, 20)
    cos, sin = math.cos(angle), math.sin(angle)
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            y, x = i * step[0], j * step[1]
            u, v = y * cos - x * sin, (y * sin + x * cos) / stretch
            bent_u = u + 1.1 * noise(key + np.uint64(1), 0.0, 0.4 * u, 0.4 * v)
            bent_v = v + 1.1 * noise(key + np.uint64(2), 0.0, 0.4 * u, 0.4 * v)
            out[i, j] = noise(key, 0.0, bent_u, bent_v) + 0.3 * noise(
                key + np.uint64(3), 0.0, 2.3 * bent_u, 2.3 * bent_v
            )


@njit(cache=True, nogil=True)
def _shade(
    out,
    labels,
    start,
    voxel,
    centre,
    axes,
    rotation,
    keys,
    intensity,
    dome,
    mean_dome,
    amplitude,
    level,
    frequency,
):
    for z in range(labels.shape[0]):
        for y in range(labels.shape[1]):
            for x in range(labels.shape[2]):
                i = labels[z, y, x] - 1
                if i < 0:
                    continue
                dz = (z + start[0] + 0.5) * voxel[0] - centre[i, 0]
                dy = (y + start[1] + 0.5) * voxel[1] - centre[i, 1]
                dx = (x + start[2] + 0.5) * voxel[2] - centre[i, 2]
                u = dz * rotation[i, 0, 0] + dy * rotation[i, 1, 0] + dx * rotation[i, 2, 0]
                v = dz * rotation[i, 0, 1] + dy * rotation[i, 1, 1] + dx * rotation[i, 2, 1]
                w = dz * rotation[i, 0, 2] + dy * rotation[i, 1, 2] + dx * rotation[i, 2, 2]
                r2 = (u / axes[i, 0]) ** 2 + (v / axes[i, 1]) ** 2 + (w / axes[i, 2]) ** 2
                # A rough outline reaches beyond the ellipsoid; it keeps some thickness there.
                profile = 1.0 - dome + dome * math.sqrt(max(1.0 - r2, 0.01)) / mean_dome
                if amplitude > 0.0:
                    grain = _grain(keys[i], u * frequency, v * frequency, w * frequency)
                    profile *= math.exp(amplitude * grain - level)
                out[z, y, x] = intensity[i] * profile


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
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
