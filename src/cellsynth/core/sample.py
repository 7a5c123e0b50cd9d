"""Sample: what travels along the path of the data, in memory."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .grid import Grid
from .scene import Objects
from .types import Image, Labels


@dataclass(frozen=True, eq=False)
class Sample:
    """One image with what is known of it."""

    name: str
    """Unique in its dataset; the stem of its files."""

    grid: Grid

    image: Image
    """(C, Z, Y, X) float32 in [0, 1] over the full range of the camera."""

    labels: Labels | None = None
    """(Z, Y, X); None where nobody labelled it."""

    bit_depth: int = 16
    """Bits of the sensor: on disk the image is `round(image * (2 ** bit_depth - 1))`."""

    objects: Objects | None = None
    """The simulated objects behind the labels; None for real images."""

    parts: Mapping[str, Labels] = field(default_factory=dict)
    """Further labels by name, such as `nuclei` in cells; (Z, Y, X) each."""

    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Columns of a table with a row per simulated object, by the name of the labels."""

    source: Path | None = None
    """File it was read from."""

    provenance: dict[str, Any] = field(default_factory=dict)
    """What made it: split, condition, hashes."""

    @property
    def counts(self) -> np.ndarray:
        """The image as the sensor's integers: uint8 up to 8 bits, else uint16."""
        dtype = np.uint8 if self.bit_depth <= 8 else np.uint16
        return np.rint(self.image * np.float32(2**self.bit_depth - 1)).astype(dtype)
