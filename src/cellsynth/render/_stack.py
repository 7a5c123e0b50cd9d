"""The image of a scene, tile by tile of a fixed lattice: emission, attenuation, optics, camera."""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numba import njit

from ..core.field import LatticeField
from ..core.grid import Box, Grid
from ..core.rng import Key
from ..core.scene import Scene
from ..core.types import Image, Plane
from ._attenuation import Attenuation, path_field
from ._camera import TILE_PX, Camera, expose_slices
from ._convolution import Convolver
from ._layers import Layers, in_focus, layers_of
from ._spots import spot_light
from ._texture import Texture, glow
from .base import AbstractTiledImage
from .psfs import Kernel

_TILE_VOXELS = 2**25
"""Of a tile at most, about."""

_BYTES_PER_VOXEL = 20
"""Memory of a tile with its halo and its transforms."""

_DEPTHS_PX = (64, 32, 16)
"""Tiles are whole multiples of one of these deep: of the first, unless they are too large then."""


@dataclass(frozen=True)
class ChannelOptics:
    """What shines in a channel, and how its light spreads."""

    stains: dict[str, float]
    """Layers of the scene by name, and their brightness relative to `photons`."""

    layers: Layers
    photons: float
    texture: Texture
    autofluorescence: float
    background: float


@dataclass(frozen=True)
class StackSettings:
    """The microscope."""

    channels: tuple[ChannelOptics, ...]
    attenuation: Attenuation
    bleaching: float
    scattering_um: float
    steps: tuple[int, ...]
    """Finer voxels per voxel of the camera, along each axis."""

    camera: Camera


@dataclass(frozen=True, eq=False)
class Stack(AbstractTiledImage):
    """The image of a scene, tile by tile of a lattice that the grid and the settings alone decide.

    Threads may render tiles at the same time.
    """

    settings: StackSettings
    grid: Grid
    scene: Scene
    key: Key

    @property
    def tiles(self) -> list[Box]:
        """Tiles in the order of the grid."""
        return self.grid.boxes(self.tile_px)

    @property
    def tile_px(self) -> tuple[int, ...]:
        """Shape of a tile: large against the halo, bounded in memory."""
        return self._tile_px

    @cached_property
    def _tile_px(self) -> tuple[int, ...]:
        halo = tuple(max(h[k] for h in self._halos) for k in range(3))
        z, y, x = self._in_3d(self.settings.steps, 1)
        return tile_shape(self.grid, (halo[0], halo[1], halo[2]), (z, y, x))[3 - self.grid.ndim :]

    @property
    def n_bytes(self) -> int:
        """Memory that rendering a tile takes, about: of its voxels with the halo, and their transforms."""
        halo = tuple(max(h[k] for h in self._halos) for k in range(3))
        tile = tuple(min(t, n) for t, n in zip(self.tile_px, self.grid.shape_px, strict=True))
        sides = [
            n * s + 2 * h
            for n, s, h in zip(self._in_3d(tile, 1), self._in_3d(self.settings.steps, 1), halo, strict=True)
        ]
        return _BYTES_PER_VOXEL * math.prod(sides)

    def render(self, tile: Box) -> Image:
        """Grey values of one of `tiles`, (C, Z, Y, X), 0 to 1."""
        return np.stack([self._exposed(c, tile, self.expected_photons(tile, c)) for c in self._channels])

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Light on its way."""
        return "emitted", "attenuated", "blurred", "expected"

    def stages(self, tile: Box) -> dict[str, Image]:
        """The image of a tile, and the light on its way, each (C, Z, Y, X) in photons per voxel, on average.

        `emitted` by the cells and the tissue, what attenuation leaves of it, what of it is seen through the optics, and
        what reaches the camera.
        """
        stages: dict[str, list[np.ndarray]] = {}
        for c in self._channels:
            kept: dict[str, Plane] = {}
            photons = self.expected_photons(tile, c, kept)
            for name, plane in {**kept, "expected": photons.copy()}.items():
                stages.setdefault(name, []).append(plane)
            stages.setdefault("image", []).append(self._exposed(c, tile, photons))
        return {name: np.stack(planes) for name, planes in stages.items()}

    def expected_photons(self, tile: Box, c: int = 0, kept: dict[str, Plane] | None = None) -> Plane:
        """Light that reaches each pixel on average, before noise.

        Parameters
        ----------
        c
            Channel.
        kept
            Where to put what is on the way: `emitted`, `attenuated`, `blurred`.
        """
        fine = self._fine_box(tile)
        inside = self._with_halo(fine, c)
        path = None
        # No tissue lies above a plane.
        if self.grid.ndim == 3 and (self.settings.attenuation.law != "none" or len(self._layers[c]) > 1):
            path = self._path.in_box(self._fine, inside)
        light = self._emitted(fine, inside, path, c, kept)
        if path is not None:
            path = path[
                tuple(
                    slice(a - o, b - o) for a, b, o in zip(fine.start, fine.stop, inside.start, strict=True)
                )
            ]
        seen = self._spread(light, path, fine, c)
        if kept is not None:
            halo = self._halos[c]
            shape = self._in_3d(fine.shape, 1)
            inside = tuple(slice(h, h + n) for h, n in zip(halo, shape, strict=True))
            kept |= {name: self._binned(plane[inside], tile) for name, plane in kept.items()}
        seen = self._binned(seen, tile)
        if kept is not None:
            kept["blurred"] = seen.copy()
        if self.settings.bleaching > 0 and self.grid.ndim == 3:
            share = (np.arange(tile.start[0], tile.stop[0]) + 0.5) / self.grid.shape_px[0]
            seen *= np.exp(-self.settings.bleaching * share).astype(np.float32)[:, None, None]
        seen += np.float32(self.settings.channels[c].background)
        return seen

    @property
    def _channels(self) -> range:
        return range(len(self.settings.channels))

    def _exposed(self, c: int, tile: Box, photons: Plane) -> Plane:
        # The first channel has the key of the image, as if it were alone.
        key = self.key.child("channel", c) if c else self.key
        z, y, x = self._in_3d(tile.start, 0)
        volume = photons.reshape(self._in_3d(photons.shape, 1))
        return expose_slices(volume, self.settings.camera, key.child("camera"), (z, y, x)).reshape(tile.shape)

    def _in_3d(self, values: tuple[int, ...], first: int) -> tuple[int, ...]:
        return (first,) * (3 - self.grid.ndim) + tuple(values)

    @cached_property
    def _fine(self) -> Grid:
        """The sampling that light is computed on."""
        steps = self.settings.steps
        return Grid(
            shape_px=tuple(n * s for n, s in zip(self.grid.shape_px, steps, strict=True)),
            voxel_um=tuple(v / s for v, s in zip(self.grid.voxel_um, steps, strict=True)),
            is_scale_known=self.grid.is_scale_known,
        )

    @cached_property
    def _fine_scene(self) -> Scene:
        return self.scene if self._fine == self.grid else self.scene.on(self._fine)

    def _fine_box(self, tile: Box) -> Box:
        steps = self.settings.steps
        return Box(
            tuple(a * s for a, s in zip(tile.start, steps, strict=True)),
            tuple(b * s for b, s in zip(tile.stop, steps, strict=True)),
        )

    def _binned(self, plane: np.ndarray, tile: Box) -> Plane:
        """Mean over the finer voxels of each voxel, in the axes of the grid."""
        steps = self.settings.steps
        if max(steps) == 1:
            return np.ascontiguousarray(plane).reshape(tile.shape)
        lengths = [part for n, s in zip(tile.shape, steps, strict=True) for part in (n, s)]
        return plane.reshape(lengths).mean(axis=tuple(range(1, 2 * len(steps), 2)), dtype=np.float32)

    def _with_halo(self, fine: Box, c: int) -> Box:
        """What lights the box, as far as it is in the grid."""
        halo = self._halos[c][3 - self._fine.ndim :]
        return Box(
            tuple(max(a - h, 0) for a, h in zip(fine.start, halo, strict=True)),
            tuple(min(b + h, n) for b, h, n in zip(fine.stop, halo, self._fine.shape_px, strict=True)),
        )

    def _emitted(
        self, fine: Box, inside: Box, path: np.ndarray | None, c: int, kept: dict[str, Plane] | None
    ) -> np.ndarray:
        """Photons per voxel that leave the tissue, in the box and its halo, (Z, Y, X); mirrored beyond the grid."""
        channel = self.settings.channels[c]
        halo = self._halos[c][3 - self._fine.ndim :]
        widths = [
            (i - (a - h), b + h - j)
            for a, b, i, j, h in zip(fine.start, fine.stop, inside.start, inside.stop, halo, strict=True)
        ]

        def padded(plane: Plane) -> np.ndarray:
            whole = np.pad(plane, widths, mode="symmetric") if np.any(widths) else plane
            return whole.reshape(self._in_3d(whole.shape, 1))

        light = light_of(self._fine_scene, inside, channel)
        if channel.autofluorescence > 0:
            light += np.float32(channel.autofluorescence) * tissue_share(self._fine_scene, inside)
        if kept is not None:
            kept["emitted"] = padded(light.copy())
        attenuation = self.settings.attenuation
        if attenuation.law != "none" and path is not None:
            light *= attenuation.factor(path, self.grid)
        if kept is not None:
            kept["attenuated"] = padded(light)
        return padded(light)

    def _spread(self, light: np.ndarray, path: np.ndarray | None, fine: Box, c: int) -> np.ndarray:
        """Light of a box with its halo as the optics shows it in the box, (Z, Y, X)."""
        shape = self._in_3d(fine.shape, 1)
        convolve, places = self._convolver(shape, c), np.array([place for place, _ in self._layers[c]])
        if path is None or len(places) == 1:
            return np.maximum(next(convolve(light, [0])), np.float32(0))
        path = path.reshape(shape)
        low, high = float(path.min()), float(path.max())
        # Those of which a voxel has a share: between the layers below and above the paths that occur.
        first = max(int(np.searchsorted(places, low, side="right")) - 1, 0)
        last = min(int(np.searchsorted(places, high)), len(places) - 1)
        used = list(range(first, last + 1))
        seen = np.zeros(shape, np.float32)
        for k, blurred in zip(used, convolve(light, used), strict=True):
            add_share(seen, blurred, path, places, k)
        return seen

    @cached_property
    def _path(self) -> LatticeField:
        return path_field(self.scene.tissue, self.grid)

    @cached_property
    def _layers(self) -> list[list[tuple[float, Kernel]]]:
        """Kernels of each channel; channels of equal optics share them."""
        z, y, x = (1.0,) * (3 - self.grid.ndim) + self._fine.voxel_um
        farthest = float(self._path.values.max())
        made: dict[Layers, list[tuple[float, Kernel]]] = {}
        for channel in self.settings.channels:
            if channel.layers not in made:
                kernels = layers_of(channel.layers, self.settings.scattering_um, (z, y, x), farthest)
                made[channel.layers] = kernels if self.grid.ndim == 3 else [(0.0, in_focus(kernels[0][1]))]
        return [made[channel.layers] for channel in self.settings.channels]

    @cached_property
    def _halos(self) -> list[tuple[int, int, int]]:
        halos = []
        for layers in self._layers:
            z, y, x = (max(kernel.shape[k] // 2 for _, kernel in layers) for k in range(3))
            halos.append((z, y, x))
        return halos

    def _convolver(self, shape: tuple[int, ...], c: int = 0) -> Convolver:
        z, y, x = shape
        layers = self.settings.channels[c].layers
        return self._ready.get(
            (layers, shape),
            lambda: Convolver([kernel for _, kernel in self._layers[c]], (z, y, x), self._halos[c]),
        )

    @cached_property
    def _ready(self) -> "_Ready":
        return _Ready()


@dataclass
class _Ready:
    """The convolvers last used: they are large, and neighbouring tiles mostly have one shape.

    Another process makes its own.
    """

    held: dict[tuple[Layers, tuple[int, ...]], Convolver] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, name: tuple[Layers, tuple[int, ...]], make: Callable[[], Convolver]) -> Convolver:
        with self.lock:
            if name not in self.held:
                while len(self.held) > 1:
                    del self.held[next(iter(self.held))]
                self.held[name] = make()
            return self.held[name]

    def __reduce__(self) -> tuple[type["_Ready"], tuple[()]]:
        return _Ready, ()


def light_of(scene: Scene, box: Box, channel: ChannelOptics) -> Plane:
    """Photons per voxel that what is stained emits."""
    light = np.zeros(box.shape, np.float32)
    for name, brightness in channel.stains.items():
        layer = scene.layers[name]
        for shining in (layer, layer.unlabelled):
            if shining is None:
                continue
            if shining.shape.is_point_source:
                shine = spot_light(shining.objects, shining.grid, box)
            else:
                shine = glow(shining, shining.draw(box), channel.texture, box)
            light += np.float32(channel.photons * brightness) * shine
    return light


def tissue_share(scene: Scene, box: Box) -> Plane:
    """1 in tissue, 0 outside, in between where the border cuts a voxel."""
    if scene.tissue is None:
        return np.ones(box.shape, np.float32)
    depth = scene.tissue.in_box(scene.grid, box)
    return np.clip(depth / np.float32(min(scene.grid.voxel_um)) + np.float32(0.5), 0, 1)


@njit(cache=True, nogil=True)
def add_share(seen, blurred, path, places, k):
    """Add what a layer shows, by its share: 1 at its own path through tissue, 0 from those of its neighbours on."""
    here = places[k]
    before, after = places[max(k - 1, 0)], places[min(k + 1, places.size - 1)]
    rise = 1.0 / (here - before) if here > before else 0.0
    fall = 1.0 / (after - here) if after > here else 0.0
    for z in range(seen.shape[0]):
        for y in range(seen.shape[1]):
            for x in range(seen.shape[2]):
                p = path[z, y, x] - here
                share = 1.0 + p * rise if p < 0.0 else 1.0 - p * fall
                if share > 0.0 and blurred[z, y, x] > 0.0:
                    seen[z, y, x] += np.float32(share) * blurred[z, y, x]


def tile_shape(
    grid: Grid, halo: tuple[int, int, int], steps: tuple[int, int, int] = (1, 1, 1)
) -> tuple[int, int, int]:
    """Tile (Z, Y, X) whose halo costs little: in a slice a multiple of the tiles of noise, as deep as memory allows.

    Parameters
    ----------
    halo
        In finer voxels.
    steps
        Finer voxels per voxel.
    """
    n_y, n_x = grid.shape_px[-2:]
    if grid.ndim == 2:
        return 1, 4 * TILE_PX, 4 * TILE_PX
    is_wide = max(halo[1:]) > 8 or min(n_y, n_x) > 2 * TILE_PX
    side = 2 * TILE_PX if is_wide and max(steps) == 1 else TILE_PX
    plane = (side * steps[1] + 2 * halo[1]) * (side * steps[2] + 2 * halo[2])
    depth = (_TILE_VOXELS // plane - 2 * halo[0]) // steps[0]
    unit = next((unit for unit in _DEPTHS_PX if depth >= unit), _DEPTHS_PX[-1])
    deepest = max(unit, depth // unit * unit)
    # As few as these would be, and of like depth: several workers are then done at the same time.
    even = -(-grid.shape_px[0] // -(-grid.shape_px[0] // deepest))
    return min(-(-even // unit) * unit, deepest), side, side
