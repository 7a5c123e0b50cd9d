"""What every renderer is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from ..core.grid import Grid
from ..core.registry import Plugin, Registry
from ..core.rng import Key
from ..core.scene import Scene
from ..core.types import Image

RenderFn = Callable[[Scene, Key], Image]
"""What a renderer builds: a scene and a key to an image (C, Y, X) float32 in [0, 1]."""

registry: "Registry[AbstractRenderer]" = Registry("cellsynth.render", "renderer")


class AbstractRenderer(Plugin, ABC):
    """A method that makes the image of a scene; the labels of the scene stay exact."""

    ndims: ClassVar[tuple[int, ...]] = (2,)
    """Numbers of spatial axes that the method can take."""

    @property
    @abstractmethod
    def bit_depth(self) -> int:
        """Bits of the sensor; the image has this many grey levels."""

    @abstractmethod
    def build(self, grid: Grid, device: str = "cpu") -> RenderFn:
        """Make the function that renders scenes on `grid`."""
