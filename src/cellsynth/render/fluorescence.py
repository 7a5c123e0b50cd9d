"""Fluorescence of a volume of cells: attenuation, optics that change with depth, camera."""

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import MinLen
from pydantic import NonNegativeFloat, PositiveFloat, model_validator

from ..core.config import Config
from ..core.errors import RecipeError
from ..core.field import LatticeField
from ..core.grid import Box, Grid
from ..core.rng import Key
from ..core.scene import Scene
from ..core.types import Image, Plane
from ._attenuation import Attenuation, path_field
from ._camera import TILE_PX, Camera, expose_slices
from ._convolution import Convolver
from ._texture import Texture, emission
from .base import AbstractRenderer, RenderFn, registry
from .psfs import AbstractPsf, Kernel
from .psfs import registry as psfs
from .psfs._scatter import widened

_TILE_VOXELS = 2**25
"""Of a tile at most, about; with its halo and its transforms it takes some 20 bytes per voxel."""

_DEPTH_PX = 64
"""Tiles are whole multiples of this deep."""


class Layer(Config):
    """The optics at a depth."""

    path_um: NonNegativeFloat = 0.0
    """Path through tissue at which this point spread function holds; in between they blend."""

    psf: Annotated[AbstractPsf, *psfs.field()] = psfs.parse("gaussian")
    """How light spreads there."""


@registry.register
class Fluorescence(AbstractRenderer):
    """Fluorescence microscopy of a volume, slice by slice.

    Light is float from the emission to the camera, which rounds once. A volume is rendered in tiles of a fixed lattice,
    with a halo that holds the whole point spread function, so the values do not depend on which box is asked for.
    """

    kind: Literal["fluorescence"] = "fluorescence"

    ndims: ClassVar[tuple[int, ...]] = (3,)

    photons: PositiveFloat = 400.0
    """Photons per voxel, on average over a cell of intensity 1, without attenuation."""

    texture: Texture = Texture(dome=0.0)
    """Brightness inside of cells."""

    attenuation: Attenuation = Attenuation()
    """How tissue above dims what is below."""

    autofluorescence: NonNegativeFloat = 0.0
    """Photons per voxel that the tissue itself emits, before attenuation."""

    background: NonNegativeFloat = 10.0
    """Photons per pixel everywhere: medium and glass."""

    bleaching: NonNegativeFloat = 0.0
    """Light lost while the stack is taken: the last slice has exp(-bleaching) of the light."""

    optics: Annotated[tuple[Layer, ...], MinLen(1)] = (Layer(),)
    """Point spread functions by the path through tissue, ascending; one holds everywhere."""

    scattering_um: NonNegativeFloat = 0.0
    """Standard deviation of a Gaussian within slices that scattering adds after 100 um of tissue; it grows in
    proportion to the path."""

    camera: Camera = Camera()
    """From photons to grey values."""

    @model_validator(mode="after")
    def _check_layers(self) -> "Fluorescence":
        paths = [layer.path_um for layer in self.optics]
        if paths != sorted(set(paths)):
            raise ValueError(f"optics are layers of ascending path_um, each once; saw {paths}")
        if self.camera.noise_blur_px > 0:
            raise ValueError("camera.noise_blur_px is for images of one plane; leave it at 0")
        return self

    @property
    def bit_depth(self) -> int:
        """Bits of the camera."""
        return self.camera.bit_depth

    def build(self, grid: Grid, device: str = "cpu") -> RenderFn:
        """Make the function that takes a stack of a scene on `grid`."""
        if grid.ndim != 3:
            raise RecipeError(f"fluorescence renders volumes and not 2D grids; the grid is {grid.shape_px}")
        return partial(take_stack, self, grid)


def take_stack(config: Fluorescence, grid: Grid, scene: Scene, key: Key) -> Image:
    """Render a scene: (1, Z, Y, X) float32 in [0, 1], grey value over the full range of the camera."""
    stack = Stack(config, grid, scene, key)
    image = np.empty((1, *grid.shape_px), np.float32)
    for box in stack.tiles:
        image[0][box.slices] = stack.render(box)
    return image


@dataclass(frozen=True, eq=False)
class Stack:
    """The image of a scene, tile by tile of a lattice that the grid and the config alone decide."""

    config: Fluorescence
    grid: Grid
    scene: Scene
    key: Key

    @cached_property
    def tiles(self) -> list[Box]:
        """Tiles in the order of the grid."""
        return self.grid.boxes(self.tile_px)

    @cached_property
    def tile_px(self) -> tuple[int, ...]:
        """Shape of a tile: large against the halo, bounded in memory."""
        return tile_shape(self.grid, self._halo)

    def render(self, tile: Box) -> Plane:
        """Grey values of one of `tiles`, 0 to 1."""
        photons = self.expected_photons(tile)
        z, y, x = tile.start
        return expose_slices(photons, self.config.camera, self.key.child("camera"), (z, y, x))

    def expected_photons(self, tile: Box) -> Plane:
        """Light that reaches each pixel on average, before noise."""
        config, voxel = self.config, self.grid.voxel_um
        light = self._emitted(tile)
        weights = self._weights(tile)
        used = [k for k, weight in enumerate(weights) if weight is None or weight.any()]
        seen = np.zeros(tile.shape, np.float32)
        for k, blurred in zip(used, self._convolver(tile.shape)(light, used), strict=True):
            weight = weights[k]
            seen += blurred if weight is None else blurred * weight
        if config.bleaching > 0:
            share = (np.arange(tile.start[0], tile.stop[0]) + 0.5) * voxel[0] / self.grid.extent_um[0]
            seen *= np.exp(-config.bleaching * share).astype(np.float32)[:, None, None]
        seen += np.float32(config.background)
        return seen

    def _emitted(self, tile: Box) -> Plane:
        """Photons per voxel that leave the tissue, in the tile and its halo; dark beyond the grid."""
        config, grid = self.config, self.grid
        wide = Box(
            tuple(a - h for a, h in zip(tile.start, self._halo, strict=True)),
            tuple(b + h for b, h in zip(tile.stop, self._halo, strict=True)),
        )
        inside = Box(
            tuple(max(a, 0) for a in wide.start),
            tuple(min(b, n) for b, n in zip(wide.stop, grid.shape_px, strict=True)),
        )
        labels = self.scene.draw(inside)
        light = emission(labels, self.scene.objects, grid, config.texture, inside.start)
        light *= np.float32(config.photons)
        if config.autofluorescence > 0:
            light += np.float32(config.autofluorescence) * self._tissue(inside)
        if config.attenuation.law != "none":
            light *= config.attenuation.factor(self._path.in_box(grid, inside), grid)
        if inside == wide:
            return light
        widths = [
            (a - i, j - b)
            for a, b, i, j in zip(inside.start, wide.stop, wide.start, inside.stop, strict=True)
        ]
        return np.pad(light, [(low, max(-high, 0)) for low, high in widths])

    def _tissue(self, box: Box) -> Plane:
        """1 in tissue, 0 outside, in between where the border cuts a voxel."""
        if self.scene.tissue is None:
            return np.ones(box.shape, np.float32)
        depth = self.scene.tissue.in_box(self.grid, box)
        return np.clip(depth / np.float32(min(self.grid.voxel_um)) + np.float32(0.5), 0, 1)

    def _weights(self, tile: Box) -> list[np.ndarray | None]:
        """Share of each layer in each voxel; None where there is one layer."""
        layers = self._layers
        if len(layers) == 1:
            return [None]
        path = self._path.in_box(self.grid, tile)
        places = np.array([place for place, _ in layers], np.float32)
        index = np.interp(path, places, np.arange(len(places)))
        return [np.maximum(1 - np.abs(index - k), 0).astype(np.float32) for k in range(len(places))]

    @cached_property
    def _path(self) -> LatticeField:
        return path_field(self.scene.tissue, self.grid)

    @cached_property
    def _layers(self) -> list[tuple[float, Kernel]]:
        z, y, x = self.grid.voxel_um
        farthest = float(self._path.values.max())
        return layers_of(self.config, (z, y, x), farthest)

    @cached_property
    def _halo(self) -> tuple[int, int, int]:
        z, y, x = (max(kernel.shape[k] // 2 for _, kernel in self._layers) for k in range(3))
        return z, y, x

    def _convolver(self, shape: tuple[int, ...]) -> Convolver:
        if shape not in self._convolvers:
            z, y, x = shape
            kernels = [kernel for _, kernel in self._layers]
            self._convolvers.clear()  # they are large, and neighbours mostly have one shape
            self._convolvers[shape] = Convolver(kernels, (z, y, x), self._halo)
        return self._convolvers[shape]

    @cached_property
    def _convolvers(self) -> dict[tuple[int, ...], Convolver]:
        return {}


_SCATTER_LAYERS = 4
"""Depths at which the blur of scattering is computed; in between it blends."""


def layers_of(
    config: Fluorescence, voxel_um: tuple[float, float, float], farthest_um: float
) -> list[tuple[float, Kernel]]:
    """Kernels by path through tissue, with what scattering adds to them."""
    given = [(layer.path_um, layer.psf.kernel(voxel_um)) for layer in config.optics]
    if config.scattering_um == 0:
        return given
    places = sorted(
        {place for place, _ in given} | set(np.linspace(0, farthest_um, _SCATTER_LAYERS).tolist())
    )
    layers = []
    for place in places:
        nearest = min(given, key=lambda item: abs(item[0] - place))[1]
        layers.append((place, widened(nearest, config.scattering_um * place / 100, voxel_um)))
    return layers


def tile_shape(grid: Grid, halo: tuple[int, int, int]) -> tuple[int, int, int]:
    """Tile whose halo costs little: within a slice a multiple of the tiles of noise, as deep as memory allows."""
    _, n_y, n_x = grid.shape_px
    side = 2 * TILE_PX if max(halo[1:]) > 8 or min(n_y, n_x) > 2 * TILE_PX else TILE_PX
    depth = _TILE_VOXELS // (side + 2 * halo[1]) // (side + 2 * halo[2]) - 2 * halo[0]
    return max(_DEPTH_PX, depth // _DEPTH_PX * _DEPTH_PX), side, side
