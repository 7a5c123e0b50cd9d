"""The rule that says what became of each object."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64, Shaped

from ..counts import EventCounts
from ._pair import LabelPair

Outcome = Literal["match", "miss", "false_alarm", "split", "merge"]


@dataclass(frozen=True, eq=False)
class ObjectOutcomes:
    """Outcome of every object of both sides."""

    reference_ids: Int64[np.ndarray, " r"]
    """Ids of the reference objects, ascending."""

    reference: Shaped[np.ndarray, " r"]
    """Outcome of each: `match`, `miss`, `split` or `merge`."""

    prediction_ids: Int64[np.ndarray, " p"]
    """Ids of the predicted objects, ascending."""

    prediction: Shaped[np.ndarray, " p"]
    """Outcome of each: `match`, `false_alarm`, `split` or `merge`."""

    is_split: Bool[np.ndarray, " r"]
    """Reference objects in which two or more predicted objects lie, matched or not."""

    is_merge: Bool[np.ndarray, " p"]
    """Predicted objects in which two or more reference objects lie, matched or not."""


def classify_objects(pair: LabelPair, iou: float = 0.5) -> ObjectOutcomes:
    """Say what became of each object; each gets one outcome, and a match is a match first.

    An object lies in another that holds more than half of its voxels; so it lies in one at most.

    - `match`: matched one to one at an IoU of at least `iou`.
    - `merge`: a predicted object in which two or more reference objects lie; a reference object that lies in one
      such (it may be matched, with the largest of those that lie in it).
    - `split`: a reference object in which two or more predicted objects lie; a predicted object that lies in one.
    - `miss`: any other reference object. `false_alarm`: any other predicted one.
    """
    overlap = pair.overlap
    matching = overlap.match(iou)
    i, j, shared = overlap.pair_reference, overlap.pair_prediction, 2 * overlap.pair_intersections_px
    reference = np.full(len(overlap.reference_ids), "miss", dtype="<U11")
    prediction = np.full(len(overlap.prediction_ids), "false_alarm", dtype="<U11")
    # Parts of a split, then of a merge: where both hold, the merge is said.
    lies_in_reference = shared > overlap.prediction_areas_px[j]
    lies_in_prediction = shared > overlap.reference_areas_px[i]
    is_split = np.bincount(i[lies_in_reference], minlength=len(reference)) > 1
    is_merge = np.bincount(j[lies_in_prediction], minlength=len(prediction)) > 1
    reference[is_split] = "split"
    prediction[j[lies_in_reference & is_split[i]]] = "split"
    reference[i[lies_in_prediction & is_merge[j]]] = "merge"
    prediction[is_merge] = "merge"
    reference[matching.reference] = "match"
    prediction[matching.prediction] = "match"
    return ObjectOutcomes(
        overlap.reference_ids, reference, overlap.prediction_ids, prediction, is_split, is_merge
    )


def count_events(n: int | np.integer) -> EventCounts:
    """So many events in one image."""
    return EventCounts(float(n), 1.0)
