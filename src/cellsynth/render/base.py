"""What every renderer is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from annotated_types import Interval

from ..core.errors import RecipeError
from ..core.grid import Box, Grid
from ..core.parallel import in_threads
from ..core.registry import Plugin, Registry
from ..core.rng import Key
from ..core.scene import Scene
from ..core.types import Image
from ..io.memory import available_bytes

Photons = Annotated[float, Interval(gt=0, le=1e12)]
"""Light; more than a camera could ever count."""

FewPhotons = Annotated[float, Interval(ge=0, le=1e12)]
"""The same, or none."""

RenderFn = Callable[[Scene, Key], Image]
"""What a renderer builds: a scene and a key to an image (C, Y, X) float32 in [0, 1]."""


class AbstractTiledImage(ABC):
    """The image of a scene, tile by tile; threads may render tiles at the same time."""

    @property
    @abstractmethod
    def tile_px(self) -> tuple[int, ...]:
        """Shape of a tile; the recipe decides it, and at the end of an axis tiles are shorter."""

    @property
    @abstractmethod
    def n_bytes(self) -> int:
        """Memory that rendering a tile takes, about."""

    @abstractmethod
    def render(self, tile: Box) -> Image:
        """Grey values of a tile, (C, Z, Y, X) float32 in [0, 1]."""

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of what `stages` gives before the image."""
        return ()

    @abstractmethod
    def stages(self, tile: Box) -> dict[str, Image]:
        """What the image comes from, step by step, by name; the last is `image`."""


def in_memory(picture: AbstractTiledImage, grid: Grid, n_channels: int) -> Image:
    """Render all tiles, with the threads that this process has: (C, Z, Y, X) float32 in [0, 1]."""
    check_tile(picture)
    image = np.empty((n_channels, *grid.shape_px), np.float32)

    def fill(tile: Box) -> None:
        image[(slice(None), *tile.slices)] = picture.render(tile)

    in_threads(fill, grid.boxes(picture.tile_px), max(available_bytes() // 2 // max(picture.n_bytes, 1), 1))
    return image


def check_tile(picture: AbstractTiledImage) -> None:
    """Refuse an image of which not even one tile fits into memory.

    Raises
    ------
    RecipeError
        Says how much it takes.
    """
    available = available_bytes()
    if picture.n_bytes > available:
        raise RecipeError(
            f"render: one tile of {list(picture.tile_px)} voxels, with all that the point spread function mixes into "
            f"it, takes {picture.n_bytes / 1e9:,.1f} GB of memory, and {available / 1e9:,.1f} GB are available; give "
            "optics with a narrower point spread function, or check grid.voxel_um, which is in micrometres"
        )


registry: "Registry[AbstractRenderer]" = Registry("cellsynth.render", "renderer")


class AbstractRenderer(Plugin, ABC):
    """A method that makes the image of a scene; the labels of the scene stay exact."""

    ndims: ClassVar[tuple[int, ...]] = (2,)
    """Numbers of spatial axes that the method can take."""

    is_tiled: ClassVar[bool] = False
    """Whether an image can be made tile by tile, and so be larger than memory."""

    @property
    @abstractmethod
    def bit_depth(self) -> int:
        """Bits of the sensor; the image has this many grey levels."""

    @property
    def channel_names(self) -> tuple[str, ...]:
        """What the channels of the image are called."""
        return ("channel_0",)

    @abstractmethod
    def build(self, grid: Grid, device: str = "cpu") -> RenderFn:
        """Make the function that renders scenes on `grid`."""

    def tiled(self, grid: Grid, scene: Scene, key: Key) -> AbstractTiledImage:
        """The image of a scene, tile by tile: the same values as of `build`.

        In one tile, unless a renderer does better.
        """
        return _Whole(self.build(grid), scene, key)


@dataclass(frozen=True, eq=False)
class _Whole(AbstractTiledImage):
    """An image that is rendered at once."""

    function: RenderFn
    scene: Scene
    key: Key

    @property
    def tile_px(self) -> tuple[int, ...]:
        return self.scene.grid.shape_px

    @property
    def n_bytes(self) -> int:
        return 45 * self.scene.grid.n_voxels  # measured on 6144 x 6144 pixels, with some room

    def render(self, tile: Box) -> Image:
        return self.function(self.scene, self.key)

    def stages(self, tile: Box) -> dict[str, Image]:
        return {"image": self.render(tile)}
