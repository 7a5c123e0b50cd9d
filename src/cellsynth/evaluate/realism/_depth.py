"""Volumes in pairs, and their scores by depth."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from ...core.errors import InputError
from ..features import PictureSet
from .base import AbstractMeasured

THIRDS = ("upper", "middle", "lower")


@dataclass(frozen=True, eq=False)
class DepthScores(AbstractMeasured):
    """Scores of each pair of volumes by region and depth; NaN where there is none."""

    by_depth: Float64[np.ndarray, "n regions k"]


def volumes_in_pairs(reference: PictureSet, candidate: PictureSet, what: str) -> None:
    """Refuse sets that are not volumes of one channel in pairs."""
    for pictures, name in ((reference, "reference"), (candidate, "candidate")):
        if pictures.ndim != 3 or pictures.n_channels != 1:
            raise InputError(
                f"{what} compares volumes of one channel, (1, Z, Y, X); images of the {name} are "
                f"{pictures.images[0].shape}. A stack (Z, Y, X) gets its axis of channels by volume[None]"
            )
    if len(reference) != len(candidate):
        raise InputError(
            f"{what} compares volumes in pairs; the reference has {len(reference)} and the candidate "
            f"{len(candidate)}"
        )


def mean_of_defined(values: np.ndarray, axis: int) -> np.ndarray:
    """Mean over the values that are no NaN; NaN where there is none."""
    is_known = ~np.isnan(values)
    n = is_known.sum(axis=axis)
    total = np.where(is_known, values, 0).sum(axis=axis)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def thirds_of(values: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, "n 3"]:
    """Mean of each row over the three thirds of the depth, split at round(k / 3) and twice that."""
    k = values.shape[1]
    split = round(k / 3)
    return np.stack(
        [mean_of_defined(part, 1) for part in np.split(values, [min(split, k), min(2 * split, k)], axis=1)],
        axis=1,
    )
