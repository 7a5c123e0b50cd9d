"""LabelPair: a reference and a prediction of one image, checked once, measured once."""

from functools import cached_property

import numpy as np
from jaxtyping import Bool

from ...core.errors import InputError
from ...core.types import Labels
from ._overlap import Overlap
from ._tally import ID_MAX


class LabelPair:
    """Reference and prediction of one image, with what the metrics share computed when first asked for.

    Parameters
    ----------
    reference, prediction : (Z, Y, X) or (Y, X)
        Integer ids of any width, 0 for background; ids may have gaps and reach 2^32 - 1.
    voxel_um
        Voxel size along each axis, in um; needed only by metrics of distance.

    Raises
    ------
    InputError
        If the two differ in shape, are not integer, not 2D or 3D, empty, negative, or beyond the largest id.
    """

    reference: Labels
    prediction: Labels
    voxel_um: tuple[float, ...] | None

    # Wide annotations: this is the border where any array may arrive.
    def __init__(
        self, reference: np.ndarray, prediction: np.ndarray, voxel_um: tuple[float, ...] | None = None
    ) -> None:
        _check(reference, "reference")
        _check(prediction, "prediction")
        if reference.shape != prediction.shape:
            raise InputError(
                f"reference and prediction differ in shape: {reference.shape} and {prediction.shape}; "
                "they must be labels of the same image, so crop one or check the names"
            )
        if voxel_um is not None and (len(voxel_um) != reference.ndim or min(voxel_um) <= 0):
            raise InputError(
                f"voxel_um is {voxel_um}; needs a positive size for each of the {reference.ndim} axes"
            )
        self.reference, self.prediction, self.voxel_um = reference, prediction, voxel_um

    @cached_property
    def overlap(self) -> Overlap:
        """Objects of both sides, their areas, the pairs that overlap and their matching."""
        return Overlap.of(self.reference, self.prediction)

    @cached_property
    def reference_at_border(self) -> Bool[np.ndarray, " r"]:
        """For each of `overlap.reference_ids`: does the object touch the border of the image?"""
        return np.isin(self.overlap.reference_ids, _border_ids(self.reference))

    @cached_property
    def prediction_at_border(self) -> Bool[np.ndarray, " p"]:
        """For each of `overlap.prediction_ids`: does the object touch the border of the image?"""
        return np.isin(self.overlap.prediction_ids, _border_ids(self.prediction))


def _check(labels: np.ndarray, name: str) -> None:
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{name} is {labels.dtype}; labels are integer arrays, 0 for background and one id per object, "
            "so convert it, or label the connected parts of a mask first"
        )
    if labels.ndim not in (2, 3):
        raise InputError(
            f"{name} has {labels.ndim} axes, shape {labels.shape}; labels are (Y, X) or (Z, Y, X), "
            "so pass one channel and one time point"
        )
    if labels.size == 0:
        raise InputError(f"{name} has no voxel, shape {labels.shape}; check how it was cropped")
    if labels.dtype.kind == "i" and labels.min() < 0:
        raise InputError(
            f"{name} has the negative id {labels.min()}; ids are 0 or more, so map special values to 0 first"
        )
    if labels.dtype.itemsize == 8 and labels.max() > ID_MAX:
        raise InputError(
            f"{name} has the id {labels.max()}; ids reach {ID_MAX}, so relabel it, for example with "
            "skimage.segmentation.relabel_sequential"
        )


def _border_ids(labels: Labels) -> np.ndarray:
    faces = [np.take(labels, side, axis=axis).ravel() for axis in range(labels.ndim) for side in (0, -1)]
    return np.unique(np.concatenate(faces))
