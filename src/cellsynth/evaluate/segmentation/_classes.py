"""Classes of objects."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from ...core.errors import InputError
from ..counts import AbstractCounts, ObjectCounts

if TYPE_CHECKING:
    from ._pair import LabelPair

Classes = np.ndarray | Mapping[int, int]
"""Class of each object: an array indexed by id, or a mapping from id to class."""


@dataclass(frozen=True)
class ClassCounts(AbstractCounts):
    """Objects of each class, and those that matched one of their own."""

    matched: tuple[tuple[int, float], ...]
    """Class and IoU of every matched pair, in any order."""

    n_reference: Counter[int]
    """Reference objects by class."""

    n_prediction: Counter[int]
    """Predicted objects by class."""

    def of_class(self, class_id: int) -> ObjectCounts:
        """Counts of one class."""
        ious = [iou for c, iou in self.matched if c == class_id]
        n, m = self.n_reference[class_id], self.n_prediction[class_id]
        return ObjectCounts(tp=len(ious), fp=m - len(ious), fn=n - len(ious), iou_sum=float(sum(ious)))


def count_classes(pair: "LabelPair", iou_above: float) -> ClassCounts:
    """Match the objects of each class among themselves, above an IoU of at least .5.

    A match is unique there, so it is one of all objects whose classes agree. Objects of class 0 are of no class.
    """
    first, second = pair.reference_classes, pair.prediction_classes
    matching = pair.overlap.match(iou_above, is_strict=True)
    shared = first[matching.reference]
    agree = (shared == second[matching.prediction]) & (shared > 0)
    return ClassCounts(
        matched=tuple(zip(shared[agree].tolist(), matching.ious[agree].tolist(), strict=True)),
        n_reference=Counter(first[first > 0].tolist()),
        n_prediction=Counter(second[second > 0].tolist()),
    )


def classes_of(ids: np.ndarray, classes: Classes | None, side: str) -> Int64[np.ndarray, " n"]:
    """Class of each of `ids`.

    Raises
    ------
    InputError
        If there are none, one is missing, or they are no whole numbers from 0.
    """
    if classes is None:
        raise InputError(
            f"this metric needs the class of every object, and the {side} has none; pass {side}_classes, an array "
            "indexed by id or a mapping from id to class, or choose metrics without classes"
        )
    if isinstance(classes, Mapping):
        missing = [i for i in ids.tolist() if i not in classes]
        found = np.array([classes.get(i, 0) for i in ids.tolist()])
    else:
        if classes.ndim != 1:
            raise InputError(f"{side}_classes has shape {classes.shape}; needs one axis, indexed by id")
        missing = ids[ids >= len(classes)].tolist()
        found = classes[np.minimum(ids, len(classes) - 1)] if len(classes) else np.zeros(len(ids), int)
    if missing:
        raise InputError(
            f"{side}_classes has no class for {len(missing)} of the {len(ids)} objects, the first with id "
            f"{missing[0]}; give every object one, 0 where it has none"
        )
    if len(found) and (found.dtype.kind not in "ui" or found.min() < 0):
        raise InputError(
            f"{side}_classes are {found.dtype} from {found.min()}; needs whole numbers, 0 or more"
        )
    return found.astype(np.int64)
