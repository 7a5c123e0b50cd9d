"""Maps of probability against a mask: how well they rank voxels, and where best to cut them."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from ..core.errors import InputError
from .counts import ratio


@dataclass(frozen=True, eq=False)
class ThresholdSweep:
    """Foreground at every threshold that makes a difference: a voxel is foreground from the threshold up."""

    thresholds: Float64[np.ndarray, " t"]
    """Every value that occurs, the largest first."""

    tp: Int64[np.ndarray, " t"]
    """Foreground of the mask found at each."""

    fp: Int64[np.ndarray, " t"]
    """Background of the mask taken for foreground at each."""

    @property
    def n_foreground(self) -> int:
        """Foreground of the mask, in voxels."""
        return int(self.tp[-1])

    @property
    def n_background(self) -> int:
        """Background of the mask, in voxels."""
        return int(self.fp[-1])

    def roc_auc(self) -> float:
        """Chance that a voxel of the foreground has a higher value than one of the background (ROC AUC) [1]_.

        Exact; equal values count one half. 0.5 is chance. NaN where the mask is all foreground or all background.

        References
        ----------
        .. [1] J. Hanley, B. McNeil, "The meaning and use of the area under a receiver operating characteristic
           (ROC) curve", Radiology 143 (1982) 29-36.
        """
        # Of every pair of a foreground and a background voxel: above, or half where they share a value.
        new_tp = np.diff(self.tp, prepend=0).astype(float)
        below = self.n_background - self.fp
        ties = np.diff(self.fp, prepend=0)
        return ratio(float((new_tp * (below + ties / 2)).sum()), self.n_foreground * float(self.n_background))

    def average_precision(self) -> float:
        """Precision averaged over the recall that each threshold adds (AP) [1]_.

        The area under the precision-recall curve as a sum of steps, without interpolation. Chance is the share of
        foreground. NaN where the mask has no foreground. Not the `average_precision` of objects.

        References
        ----------
        .. [1] G. Salton, M. McGill, "Introduction to modern information retrieval", McGraw-Hill 1983.
        """
        precision = self.tp / (self.tp + self.fp)
        return ratio(float((np.diff(self.tp, prepend=0) * precision).sum()), self.n_foreground)

    def scores(self, by: Literal["mcc", "dice"] = "mcc") -> Float64[np.ndarray, " t"]:
        """Score of the foreground at every threshold: Matthews' correlation or Dice.

        The correlation is 0 where a margin is 0 and 1 where nothing differs, as in `matthews_correlation`; Dice
        has no such case, for something is foreground at every threshold.
        """
        tp, fp = self.tp.astype(float), self.fp.astype(float)
        fn = self.n_foreground - tp
        if by == "dice":
            return 2 * tp / (2 * tp + fp + fn)
        tn = self.n_background - fp
        margins = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
        correlation = np.divide(tp * tn - fp * fn, margins, out=np.zeros(len(tp)), where=margins > 0)
        return np.where((fp == 0) & (fn == 0), 1.0, correlation)

    def best(self, by: Literal["mcc", "dice"] = "mcc") -> tuple[float, float]:
        """Threshold of the highest score, and that score; among equal ones the highest threshold."""
        scores = self.scores(by)
        place = int(scores.argmax())
        return float(self.thresholds[place]), float(scores[place])


# Wide annotations: this is the border where any array may arrive.
def sweep_thresholds(probability: np.ndarray, mask: np.ndarray) -> ThresholdSweep:
    """Count at every threshold at once, by sorting the values.

    For several images at once, pass their voxels one after the other: `np.concatenate([a.ravel(), b.ravel()])`.

    Parameters
    ----------
    probability : any shape
        Floating point in [0, 1].
    mask : same shape
        Boolean: the foreground.

    Raises
    ------
    InputError
        If the two differ in shape or have none, if the map is not floating point, holds NaN or leaves [0, 1], or
        if the mask is not boolean.
    """
    _check(probability, mask)
    values = probability.ravel()
    order = np.argsort(values)[::-1]
    values = values[order]
    ends = np.flatnonzero(np.diff(values, append=-1))  # the last of each value
    tp = np.cumsum(mask.ravel()[order], dtype=np.int64)[ends]
    return ThresholdSweep(values[ends].astype(np.float64), tp, ends + 1 - tp)


def _check(probability: np.ndarray, mask: np.ndarray) -> None:
    if probability.shape != mask.shape or probability.size == 0:
        raise InputError(
            f"probability and mask have the shapes {probability.shape} and {mask.shape}; needs two of one shape with "
            "at least one voxel, so crop one or check the names"
        )
    if mask.dtype != bool:
        raise InputError(f"mask is {mask.dtype}; needs a boolean array, such as labels > 0")
    if probability.dtype.kind != "f":
        raise InputError(
            f"probability is {probability.dtype}; needs floating point in 0 to 1, so divide it by its full scale"
        )
    n_nan = int(np.isnan(probability).sum())
    if n_nan:
        raise InputError(
            f"{n_nan} values of the probability are NaN; every voxel needs one, so fill them first"
        )
    low, high = float(probability.min()), float(probability.max())
    if low < 0 or high > 1:
        raise InputError(
            f"probability goes from {low:g} to {high:g}; needs 0 to 1, so pass logits through a sigmoid"
        )
