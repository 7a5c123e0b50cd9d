"""PointPair: the points of a reference and of a prediction of one image, checked once, matched once."""

from functools import cached_property
from typing import Literal

import numpy as np

from ...core.errors import InputError
from ...core.types import Points
from ._matching import PointMatching, match_points

LengthUnit = Literal["px", "um"]


class PointPair:
    """Reference and predicted points of one image, with what the metrics share computed when first asked for.

    Parameters
    ----------
    reference, prediction : (n, 2) or (n, 3)
        Positions in `zyx` order; without a point, shape (0, 2) or (0, 3).
    unit
        Of the positions.
    voxel_um
        Voxel size along each axis, in um; needed where a metric asks for the other unit.
    reference_classes, prediction_classes : (n,)
        Class of each point, an integer; needed only by metrics of classes, and then on both sides.

    Raises
    ------
    InputError
        If positions are not float arrays of 2 or 3 columns on both sides, or not finite; if there is not one
        integer class per point.
    """

    reference: Points
    prediction: Points
    unit: LengthUnit
    voxel_um: tuple[float, ...] | None
    reference_classes: np.ndarray | None
    prediction_classes: np.ndarray | None

    # Wide annotations: this is the border where any array may arrive.
    def __init__(
        self,
        reference: np.ndarray,
        prediction: np.ndarray,
        *,
        unit: LengthUnit = "px",
        voxel_um: tuple[float, ...] | None = None,
        reference_classes: np.ndarray | None = None,
        prediction_classes: np.ndarray | None = None,
    ) -> None:
        _check_points(reference, "reference")
        _check_points(prediction, "prediction")
        if reference.shape[1] != prediction.shape[1]:
            raise InputError(
                f"reference has {reference.shape[1]} coordinates per point and prediction "
                f"{prediction.shape[1]}; both must be of the same image"
            )
        if unit not in ("px", "um"):
            raise InputError(f"unit is {unit!r}; positions are in 'px' or 'um'")
        n_axes = reference.shape[1]
        if voxel_um is not None and (len(voxel_um) != n_axes or not all(0 < v < np.inf for v in voxel_um)):
            raise InputError(f"voxel_um is {voxel_um}; needs a positive size for each of the {n_axes} axes")
        if (reference_classes is None) != (prediction_classes is None):
            raise InputError("only one side has classes; give those of both sides or none")
        if reference_classes is not None and prediction_classes is not None:
            _check_classes(reference_classes, len(reference), "reference")
            _check_classes(prediction_classes, len(prediction), "prediction")
        self.reference, self.prediction = reference, prediction
        self.unit, self.voxel_um = unit, voxel_um
        self.reference_classes, self.prediction_classes = reference_classes, prediction_classes

    def match(self, radius: float, unit: LengthUnit) -> PointMatching:
        """One-to-one matching of the points not farther apart than `radius`, distances in `unit`."""
        known = self._matchings.get((radius, unit))
        if known is None:
            known = match_points(self._in(unit, self.reference), self._in(unit, self.prediction), radius)
            self._matchings[radius, unit] = known
        return known

    @cached_property
    def _matchings(self) -> dict[tuple[float, LengthUnit], PointMatching]:
        return {}

    def _in(self, unit: LengthUnit, positions: Points) -> Points:
        if unit == self.unit:
            return positions.astype(float)
        if self.voxel_um is None:
            raise InputError(
                f"positions are in {self.unit} and the radius is in {unit}; give voxel_um, the size of a voxel, "
                f"or a radius in {self.unit}"
            )
        return positions * np.asarray(self.voxel_um) ** (1 if unit == "um" else -1)


def _check_points(points: np.ndarray, name: str) -> None:
    if not np.issubdtype(points.dtype, np.floating):
        raise InputError(f"{name} is {points.dtype}; positions are floats, so convert it with .astype(float)")
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        raise InputError(
            f"{name} has shape {points.shape}; positions are (n, 2) or (n, 3), one row per point in zyx order, "
            "and (0, 2) or (0, 3) without a point"
        )
    is_finite = np.isfinite(points).all(axis=1)
    if not is_finite.all():
        first = int(np.argmin(is_finite))
        raise InputError(
            f"{name} has {np.count_nonzero(~is_finite)} points with a NaN or infinite coordinate, the first in row "
            f"{first}: {points[first].tolist()}; leave out points without a position"
        )


def _check_classes(classes: np.ndarray, n_points: int, name: str) -> None:
    if classes.shape != (n_points,):
        raise InputError(f"{name} has {n_points} points and classes of shape {classes.shape}; needs one each")
    if not np.issubdtype(classes.dtype, np.integer):
        raise InputError(f"classes of {name} are {classes.dtype}; number the classes with integers")
