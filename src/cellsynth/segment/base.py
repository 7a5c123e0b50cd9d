"""What every segmenter is, and how its parameters may be searched."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, Self

import numpy as np
from pydantic import PositiveFloat

from ..core.grid import Grid
from ..core.registry import Plugin, Registry
from ..core.types import Image, Labels, Plane
from ._scale import typical_diameter_px

SegmentFn = Callable[[Image], Labels]
"""What a segmenter builds: (C, Y, X) in [0, 1] to labels 0, 1..N without gaps (int32)."""

registry: "Registry[AbstractSegmenter]" = Registry("cellsynth.segment", "segmenter")


@dataclass(frozen=True)
class Search:
    """Range in which tuning may look for a parameter; put it in the field's `Annotated`."""

    low: float
    high: float
    is_log: bool = False
    """Search evenly in the logarithm."""


@dataclass(frozen=True, init=False)
class Choice:
    """Values among which tuning may choose; put it in the field's `Annotated`."""

    options: tuple[str, ...]

    def __init__(self, *options: str) -> None:
        object.__setattr__(self, "options", options)


class AbstractSegmenter(Plugin, ABC):
    """A method that finds the cells of an image.

    Lengths are in um of the grid that `build` gets; methods convert them to pixels there.
    """

    ndims: ClassVar[tuple[int, ...]] = (2,)
    """Numbers of spatial axes that the method can take."""

    uses_diameter: ClassVar[bool] = True
    """Whether the method needs to know how large cells are."""

    diameter_um: PositiveFloat = 10.0
    """Typical diameter of a cell; the benchmark sets it from calibration."""

    diameter_from: Annotated[Literal["set", "image"], Choice("set", "image")] = "set"
    """`set` takes `diameter_um` for every image; `image` estimates it in each, between a third and three times
    `diameter_um`. Methods that need no diameter ignore both."""

    polarity: Literal["bright", "dark"] = "bright"
    """Whether cells are brighter or darker than what surrounds them."""

    @abstractmethod
    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        """Make the function that segments images on `grid`."""

    @classmethod
    def missing(cls) -> str | None:
        """Say how to install what the method needs and is not there; None where nothing is missing."""
        return None

    @classmethod
    def search_space(cls) -> dict[str, Search | Choice]:
        """Fields that tuning may change, with their ranges or options."""
        found = {
            name: next((m for m in field.metadata if isinstance(m, Search | Choice)), None)
            for name, field in cls.model_fields.items()
        }
        if not cls.uses_diameter:
            del found["diameter_from"]
        return {name: search for name, search in found.items() if search}

    def diameter_px(self, grid: Grid, plane: Plane | None = None) -> float:
        """Typical diameter in voxels (geometric mean over the axes), of this plane where it is to be estimated."""
        expected = self.diameter_um / float(np.exp(np.mean(np.log(grid.voxel_um))))
        if self.diameter_from == "set" or plane is None:
            return expected
        found = typical_diameter_px(plane)
        return expected if np.isnan(found) else float(np.clip(found, expected / 3, expected * 3))

    def plane(self, image: Image) -> Plane:
        """First channel with the cells bright."""
        return image[0] if self.polarity == "bright" else 1.0 - image[0]

    def with_values(self, **values: object) -> Self:
        """Copy with some fields replaced, checked like any config."""
        return type(self).parse({**self.to_dict(), **values}, source=self.kind)
