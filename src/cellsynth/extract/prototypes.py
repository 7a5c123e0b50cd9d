"""One bank of prototypes out of many labelled images, and an account of what was left out."""

from dataclasses import dataclass, field

import numpy as np

from ..core.errors import InputError
from ..core.shapes import PrototypeBank, cut_cells
from ..core.types import Labels, Plane


@dataclass(eq=False)
class PrototypeHarvest:
    """Takes in image after image; `bank` gives the cells of all."""

    min_voxels: int = 50
    """Smaller cells are left out."""

    n_labels: int = 0
    n_at_border: int = 0
    """Left out, as a part of them is missing."""

    n_small: int = 0
    """Left out, as they have too few voxels."""

    n_flat: int = 0
    """Taken without texture, as they are not brighter than the background."""

    _masks: list[np.ndarray] = field(default_factory=list)
    _textures: list[np.ndarray] = field(default_factory=list)
    _voxel_um: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, image: Plane, labels: Labels, voxel_um: tuple[float, ...]) -> int:
        """Cut the whole cells out of an image in which they are bright; gives how many.

        Raises
        ------
        InputError
            If the image has not the axes of those before.
        """
        if self._voxel_um and len(self._voxel_um[0]) != labels.ndim:
            raise InputError(
                f"is {labels.ndim}D and those before are {len(self._voxel_um[0])}D; make a file of prototypes for each"
            )
        cut = cut_cells(image, labels, self.min_voxels)
        n = len(cut.masks)
        self.n_labels += n + cut.n_at_border + cut.n_small
        self.n_at_border += cut.n_at_border
        self.n_small += cut.n_small
        self.n_flat += cut.n_flat
        self._masks += cut.masks
        self._textures += cut.textures
        self._voxel_um += [voxel_um] * n
        return n

    @property
    def account(self) -> str:
        """What became of the labels, in words."""
        left = [
            f"{n} left out, {why}"
            for n, why in (
                (self.n_at_border, "as the border of the image cuts them"),
                (self.n_small, f"of fewer than {self.min_voxels} voxels"),
            )
            if n
        ]
        return "; ".join([f"{len(self._masks)} prototypes of {self.n_labels} labelled cells", *left])

    @property
    def bank(self) -> PrototypeBank:
        """All that was cut out.

        Raises
        ------
        InputError
            If there is nothing.
        """
        if not self._masks:
            raise InputError(
                f"{self.account}; ask for fewer voxels (--min-voxels), or give labels with whole cells in them"
            )
        return PrototypeBank(self._masks, self._textures, np.array(self._voxel_um))
