"""What every part is."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from ...core.grid import Grid
from ...core.registry import Plugin, Registry
from ...core.rng import Key
from ...core.scene import Scene

PartFn = Callable[[Scene, Key], Scene]
"""What a part builds: the scene of the cells and a key to the scene of the part."""

registry: "Registry[AbstractPart]" = Registry("cellsynth.labels.parts", "part")


class AbstractPart(Plugin, ABC):
    """A method that makes something beside or inside of the cells of a scene, with labels of its own."""

    @abstractmethod
    def build(self, grid: Grid, device: str = "cpu") -> PartFn:
        """Make the function that draws the part of a scene on `grid`."""
