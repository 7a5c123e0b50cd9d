"""What every arrangement is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer, UInt64
from pydantic import NonNegativeFloat

from ...core.field import LatticeField
from ...core.registry import Plugin, Registry
from ...core.rng import Key

registry: "Registry[AbstractArrangement]" = Registry("cellsynth.labels.arrangements", "arrangement")


@dataclass(frozen=True, eq=False)
class Bodies:
    """Ellipsoids that want a place, in 3D; of a plane the first axis is across it."""

    keys: UInt64[np.ndarray, " n"]
    semi_axes_um: Float[np.ndarray, "n 3"]
    rotation: Float[np.ndarray, "n 3 3"]
    is_flat: bool

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Arranged:
    """Where they found one."""

    centre_um: Float[np.ndarray, "m 3"]

    kept: Integer[np.ndarray, " m"]
    """Which bodies these are, ascending."""

    why: str = ""
    """What is not as asked for, why, and the way out: others found no place, or these overlap; else empty."""


class AbstractArrangement(Plugin, ABC):
    """A way to give bodies places in a region."""

    min_gap_um: NonNegativeFloat = 0.0
    """Free space to keep between cells, at least."""

    @abstractmethod
    def arrange(
        self, bodies: Bodies, low_um: np.ndarray, high_um: np.ndarray, walls: LatticeField | None, key: Key
    ) -> Arranged:
        """Places of the bodies.

        Parameters
        ----------
        low_um, high_um : (3,)
            Box for the centres.
        walls
            Depth in the region that the bodies must lie in as a whole; None where there is none.
        """
