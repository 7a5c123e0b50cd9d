"""Counts of points with classes."""

from collections import Counter
from dataclasses import dataclass

from ...core.errors import InputError
from ..counts import AbstractCounts
from ._pair import LengthUnit, PointPair


@dataclass(frozen=True)
class TypedCounts(AbstractCounts):
    """Points matched one to one, by class; the classes need not be known beforehand."""

    pairs: Counter[tuple[int, int]]
    """Matched pairs of each class of the reference and class of the prediction."""

    missed: Counter[int]
    """Reference points without a partner, of each class."""

    invented: Counter[int]
    """Predicted points without a partner, of each class."""

    @property
    def classes(self) -> list[int]:
        """Classes that occur on either side, ascending."""
        return sorted({c for pair in self.pairs for c in pair} | set(self.missed) | set(self.invented))


def count_classes(pair: PointPair, radius: float, unit: LengthUnit) -> TypedCounts:
    """Points matched within `radius` whatever their classes, then counted by class.

    Raises
    ------
    InputError
        If the pair has no classes.
    """
    if pair.reference_classes is None or pair.prediction_classes is None:
        raise InputError("the points have no classes; give reference_classes and prediction_classes")
    matching = pair.match(radius, unit)
    reference, prediction = pair.reference_classes.tolist(), pair.prediction_classes.tolist()
    found, used = set(matching.reference.tolist()), set(matching.prediction.tolist())
    return TypedCounts(
        pairs=Counter(
            (reference[i], prediction[j])
            for i, j in zip(matching.reference.tolist(), matching.prediction.tolist(), strict=True)
        ),
        missed=Counter(c for i, c in enumerate(reference) if i not in found),
        invented=Counter(c for j, c in enumerate(prediction) if j not in used),
    )
