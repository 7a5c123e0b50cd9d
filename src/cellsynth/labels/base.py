"""What every label generator is."""

from abc import ABC, abstractmethod

from ..core.grid import Grid
from ..core.registry import Plugin, Registry
from ..core.scene import SceneFn

registry: "Registry[AbstractLabelGenerator]" = Registry("cellsynth.labels", "label generator")


class AbstractLabelGenerator(Plugin, ABC):
    """A method that makes scenes: a key in, the objects of one sample out."""

    @abstractmethod
    def build(self, grid: Grid, device: str = "cpu") -> SceneFn:
        """Make the function that draws a random scene on `grid`."""
