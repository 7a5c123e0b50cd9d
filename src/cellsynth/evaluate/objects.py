"""What became of each object: matched, missed, invented, split or merged."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Int64, Shaped

from .segmentation import LabelPair

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
    is_merging = np.bincount(j[lies_in_prediction], minlength=len(prediction)) > 1
    reference[is_split] = "split"
    prediction[j[lies_in_reference & is_split[i]]] = "split"
    reference[i[lies_in_prediction & is_merging[j]]] = "merge"
    prediction[is_merging] = "merge"
    reference[matching.reference] = "match"
    prediction[matching.prediction] = "match"
    return ObjectOutcomes(overlap.reference_ids, reference, overlap.prediction_ids, prediction)


def object_table(pair: LabelPair, iou: float = 0.5) -> pd.DataFrame:
    """One row per object of both sides.

    Returns
    -------
    table
        `side` (`reference` or `prediction`), `id`, `area_px` (voxels), `best_iou` (with any object of the other
        side; 0 where none overlaps), `partner` (id of the matched object, 0 where there is none), `outcome`
        (see `classify_objects`), `is_at_border`.
    """
    overlap, outcomes, matching = pair.overlap, classify_objects(pair, iou), pair.overlap.match(iou)
    sides = []
    for side, ids, areas, index, outcome, at_border, own, other in (
        (
            "reference",
            overlap.reference_ids,
            overlap.reference_areas_px,
            overlap.pair_reference,
            outcomes.reference,
            pair.reference_at_border,
            matching.reference,
            overlap.prediction_ids[matching.prediction],
        ),
        (
            "prediction",
            overlap.prediction_ids,
            overlap.prediction_areas_px,
            overlap.pair_prediction,
            outcomes.prediction,
            pair.prediction_at_border,
            matching.prediction,
            overlap.reference_ids[matching.reference],
        ),
    ):
        best, partner = np.zeros(len(ids)), np.zeros(len(ids), np.int64)
        np.maximum.at(best, index, overlap.pair_ious)
        partner[own] = other
        columns = {"side": side, "id": ids, "area_px": areas, "best_iou": best, "partner": partner}
        sides.append(pd.DataFrame({**columns, "outcome": outcome, "is_at_border": at_border}))
    return pd.concat(sides, ignore_index=True)
