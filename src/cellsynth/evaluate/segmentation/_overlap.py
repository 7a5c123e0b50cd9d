"""Sparse overlap of two label images: which objects meet, and in how many voxels."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from jaxtyping import Float64, Int64, UInt64

from ...core.types import Labels
from ._matching import Matching, best_one_to_one, match_one_to_one
from ._tally import tally


@dataclass(frozen=True, eq=False)
class Overlap:
    """Contingency table of a reference and a prediction, background included.

    All that the metrics of areas and of objects need; made in one pass. Tables of the blocks of a volume add
    up (`a + b`) to the table of the volume, so nothing here needs the whole volume in memory.

    Objects are counted from 0 in ascending order of their ids, so that `reference_ids[i]` is the id of
    reference object `i`; ids may have gaps. Everything is computed when first asked for and then kept.
    """

    keys: UInt64[np.ndarray, " n"]
    """`reference id * 2^32 + prediction id` of every combination that occurs, ascending."""

    counts: Int64[np.ndarray, " n"]
    """Voxels of each combination."""

    @classmethod
    def of(cls, reference: Labels, prediction: Labels) -> Self:
        """Table of two label arrays of one shape, ids 0 to 2^32 - 1."""
        return cls(*tally(reference, prediction))

    def __add__(self, other: Self) -> Self:
        return type(self)(
            *grouped(
                np.concatenate([self.keys, other.keys]),
                np.concatenate([self.counts, other.counts]),
            )
        )

    def without(self, reference_ids: np.ndarray, prediction_ids: np.ndarray) -> Self:
        """Table in which some objects of both sides are background."""
        reference = np.where(np.isin(self._reference, reference_ids), 0, self._reference)
        prediction = np.where(np.isin(self._prediction, prediction_ids), 0, self._prediction)
        keys = reference.astype(np.uint64) << np.uint64(32) | prediction.astype(np.uint64)
        return type(self)(*grouped(keys, self.counts))

    # Ids on both sides of every combination; 0 is background.

    @cached_property
    def _reference(self) -> Int64[np.ndarray, " n"]:
        return (self.keys >> np.uint64(32)).astype(np.int64)

    @cached_property
    def _prediction(self) -> Int64[np.ndarray, " n"]:
        return (self.keys & np.uint64(2**32 - 1)).astype(np.int64)

    @cached_property
    def _both(self) -> np.ndarray:
        return (self._reference > 0) & (self._prediction > 0)

    # The objects.

    @cached_property
    def reference_ids(self) -> Int64[np.ndarray, " r"]:
        """Ids of the reference objects, ascending."""
        return self._reference_objects[0]

    @cached_property
    def reference_areas_px(self) -> Int64[np.ndarray, " r"]:
        """Voxels of each reference object."""
        return self._reference_objects[1]

    @cached_property
    def prediction_ids(self) -> Int64[np.ndarray, " p"]:
        """Ids of the predicted objects, ascending."""
        return self._prediction_objects[0]

    @cached_property
    def prediction_areas_px(self) -> Int64[np.ndarray, " p"]:
        """Voxels of each predicted object."""
        return self._prediction_objects[1]

    @cached_property
    def _reference_objects(self) -> tuple[np.ndarray, np.ndarray]:
        return _sizes(self._reference, self.counts)

    @cached_property
    def _prediction_objects(self) -> tuple[np.ndarray, np.ndarray]:
        return _sizes(self._prediction, self.counts)

    # The pairs of a reference object and a predicted one that share a voxel.

    @cached_property
    def pair_reference(self) -> Int64[np.ndarray, " e"]:
        """Reference object of each overlapping pair: an index into `reference_ids`, ascending."""
        return np.searchsorted(self.reference_ids, self._reference[self._both])

    @cached_property
    def pair_prediction(self) -> Int64[np.ndarray, " e"]:
        """Predicted object of each overlapping pair: an index into `prediction_ids`."""
        return np.searchsorted(self.prediction_ids, self._prediction[self._both])

    @cached_property
    def pair_intersections_px(self) -> Int64[np.ndarray, " e"]:
        """Shared voxels of each overlapping pair, at least 1."""
        return self.counts[self._both]

    @cached_property
    def pair_unions_px(self) -> Int64[np.ndarray, " e"]:
        """Voxels in either object of each overlapping pair."""
        areas = self.reference_areas_px[self.pair_reference] + self.prediction_areas_px[self.pair_prediction]
        return areas - self.pair_intersections_px

    @cached_property
    def pair_ious(self) -> Float64[np.ndarray, " e"]:
        """IoU of each overlapping pair, in (0, 1]."""
        return self.pair_intersections_px / self.pair_unions_px

    # What follows from them.

    @property
    def n_voxels(self) -> int:
        """Voxels of the image."""
        return int(self.counts.sum())

    def match(self, iou: float, *, is_strict: bool = False) -> Matching:
        """One-to-one matching of the pairs with an IoU of at least `iou` (above it where `is_strict`)."""
        known = self._matchings.get((iou, is_strict))
        if known is None:
            known = match_one_to_one(
                self.pair_reference, self.pair_prediction, self.pair_ious, iou, is_strict=is_strict
            )
            self._matchings[iou, is_strict] = known
        return known

    @cached_property
    def best_pairs(self) -> Int64[np.ndarray, " m"]:
        """Positions of the overlapping pairs of the one-to-one pairing with the largest summed IoU."""
        return best_one_to_one(
            self.pair_reference, self.pair_prediction, self.pair_ious, self.pair_intersections_px
        )

    @cached_property
    def _matchings(self) -> dict[tuple[float, bool], Matching]:
        return {}


def grouped(keys: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sum the counts of equal keys; the keys come back ascending."""
    distinct, where = np.unique(keys, return_inverse=True)
    sums = np.zeros(len(distinct), np.int64)
    np.add.at(sums, where, counts)
    return distinct, sums


def _sizes(ids: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ids that occur, without background, and the voxels of each."""
    found, where = np.unique(ids, return_inverse=True)
    sizes = np.bincount(where, weights=counts, minlength=len(found)).astype(np.int64)  # exact up to 2^53
    is_object = found > 0
    return found[is_object], sizes[is_object]
