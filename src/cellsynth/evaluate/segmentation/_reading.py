"""Read parts of two label volumes, trust no value in them, and say what the metrics of areas need to know."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from ...core.blocks import Volume
from ...core.errors import InputError
from ...core.grid import Box
from ...core.types import Labels
from ._overlap import Overlap
from ._tally import ID_MAX


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What is known of one or more blocks; of two parts of a volume they add."""

    overlap: Overlap

    reference_at_border: np.ndarray
    """Ids at the border of the image, ascending."""

    prediction_at_border: np.ndarray
    """The same of the prediction."""

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.overlap + other.overlap,
            np.union1d(self.reference_at_border, other.reference_at_border),
            np.union1d(self.prediction_at_border, other.prediction_at_border),
        )


def look_at(reference: Volume, prediction: Volume, box: Box) -> FirstLook:
    """Read a box of both sides."""
    shape = tuple(reference.shape)
    first, second = read_part(reference, box, "reference"), read_part(prediction, box, "prediction")
    return FirstLook(Overlap.of(first, second), border_ids(first, box, shape), border_ids(second, box, shape))


def read_part(volume: Volume, box: Box, side: str) -> Labels:
    """Read the labels of a box.

    Parameters
    ----------
    side
        What to call the volume in a message: `reference` or `prediction`.

    Raises
    ------
    InputError
        If a value is negative or beyond the largest id.
    """
    labels = np.asarray(volume[box.slices])
    check_ids(labels, side)
    return labels


def check_ids(labels: np.ndarray, side: str) -> None:
    """Refuse what cannot be ids."""
    if labels.dtype.kind == "i" and labels.min() < 0:
        raise InputError(
            f"{side} has the negative id {labels.min()}; ids are 0 or more, so map special values to 0 first"
        )
    if labels.dtype.itemsize == 8 and labels.max() > ID_MAX:
        raise InputError(
            f"{side} has the id {labels.max()}; ids reach {ID_MAX}, so relabel it, for example with "
            "skimage.segmentation.relabel_sequential"
        )


def border_ids(labels: Labels, box: Box, shape: tuple[int, ...]) -> np.ndarray:
    """Ids at the border of the image within a box of it; an axis of one voxel has no border.

    Background is among them where it is at the border. An image of one voxel is border altogether.
    """
    axes = [axis for axis, n in enumerate(shape) if n > 1]
    if not axes:
        return np.unique(labels)
    faces = []
    for axis in axes:
        if box.start[axis] == 0:
            faces.append(np.take(labels, 0, axis=axis).ravel())
        if box.stop[axis] == shape[axis]:
            faces.append(np.take(labels, -1, axis=axis).ravel())
    return np.unique(np.concatenate(faces)) if faces else np.zeros(0, labels.dtype)
