"""What became of each object, as a table: matched, missed, invented, split or merged."""

from functools import partial

import numpy as np
import pandas as pd

from .segmentation import LabelPair
from .segmentation._outcomes import ObjectOutcomes, Outcome, classify_objects

__all__ = ["ObjectOutcomes", "Outcome", "classify_objects", "object_table"]


def object_table(pair: LabelPair, iou: float = 0.5, *, is_numbered: bool = False) -> pd.DataFrame:
    """One row per object of both sides.

    Parameters
    ----------
    is_numbered
        Give the ids without gaps, from 1 in the order of all ids of a side, as label files are numbered when they are
        read into memory.

    Returns
    -------
    table
        `side` (`reference` or `prediction`), `id`, `area_px` (voxels), `best_iou` (with any object of the other
        side; 0 where none overlaps), `partner` (id of the matched object, 0 where there is none), `outcome`
        (see `classify_objects`), `is_at_border`.
    """
    overlap, outcomes, matching = pair.overlap, classify_objects(pair, iou), pair.overlap.match(iou)
    numbers = {"reference": _same, "prediction": _same}
    if is_numbered:
        numbers = {
            "reference": partial(_numbered, pair.all_reference_ids),
            "prediction": partial(_numbered, pair.all_prediction_ids),
        }
    sides = []
    for side, partner_side, ids, areas, index, outcome, at_border, own, other in (
        (
            "reference",
            "prediction",
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
            "reference",
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
        partner[own] = numbers[partner_side](other)
        columns = {
            "side": side,
            "id": numbers[side](ids),
            "area_px": areas,
            "best_iou": best,
            "partner": partner,
        }
        sides.append(pd.DataFrame({**columns, "outcome": outcome, "is_at_border": at_border}))
    return pd.concat(sides, ignore_index=True)


def _same(ids: np.ndarray) -> np.ndarray:
    return ids


def _numbered(every: np.ndarray, ids: np.ndarray) -> np.ndarray:
    return np.searchsorted(every, ids) + 1
