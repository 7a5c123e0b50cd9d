"""ImagePair: two aligned images with the range of their values, checked once."""

from functools import cached_property

import numpy as np
from jaxtyping import Float64

from ...core.errors import InputError
from ..images import check_image, check_range, scaled

Values = Float64[np.ndarray, "c *zyx"]
"""Values in [0, 1], channels first."""


class ImagePair:
    """A reference and a candidate, aligned voxel by voxel.

    Parameters
    ----------
    reference, candidate : (Y, X), (C, Y, X) or (C, Z, Y, X)
        Of one shape and dtype: integers, or floats.
    data_range
        What the values may be: from 0 to this, or (lowest, highest). 255 for 8 bit, 65535 for 16 bit, 4095 for a
        camera of 12 bit, 1 for floats in [0, 1]. Never taken from the data: scores of images of unequal
        brightness would not compare.

    Raises
    ------
    InputError
        If the two differ in shape or dtype, hold a NaN or a value out of `data_range`, or have other axes.
    """

    data_range: tuple[float, float]

    # Wide annotations: this is the border where any array may arrive.
    def __init__(
        self, reference: np.ndarray, candidate: np.ndarray, data_range: float | tuple[float, float]
    ) -> None:
        self.data_range = check_range(data_range)
        if reference.dtype != candidate.dtype:
            raise InputError(
                f"reference is {reference.dtype} and candidate {candidate.dtype}; convert both to one, so that "
                "data_range holds for both"
            )
        if reference.shape != candidate.shape:
            raise InputError(
                f"reference and candidate differ in shape: {reference.shape} and {candidate.shape}; they must be "
                "aligned, so crop or register one"
            )
        for image, name in ((reference, "reference"), (candidate, "candidate")):
            check_image(image, name, self.data_range)
        self._given = (reference, candidate)

    @cached_property
    def reference(self) -> Values:
        """Reference scaled from `data_range` to [0, 1], channels first."""
        return scaled(self._given[0], self.data_range)

    @cached_property
    def candidate(self) -> Values:
        """Candidate scaled alike."""
        return scaled(self._given[1], self.data_range)

    @property
    def shape_px(self) -> tuple[int, ...]:
        """Size along each axis of space."""
        return self.reference.shape[1:]


def require_size(pair: ImagePair, smallest_px: int, what: str) -> None:
    """Refuse images with an axis shorter than `smallest_px`."""
    if min(pair.shape_px) < smallest_px:
        raise InputError(
            f"images of {_times(pair.shape_px)} are too small for {what}, which needs {smallest_px} along every "
            "axis; take larger crops, or a metric with one scale"
        )


def require_2d(pair: ImagePair, what: str) -> None:
    """Refuse volumes, and images with other than one or three channels."""
    n_channels = len(pair.reference)
    if len(pair.shape_px) != 2:
        raise InputError(
            f"{what} is defined for 2D images, not {_times(pair.shape_px)}; take it slice by slice"
        )
    if n_channels not in (1, 3):
        raise InputError(
            f"{what} takes grey or RGB images, not {n_channels} channels; take channels one by one"
        )


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(n) for n in shape)
