"""Features of two sets, on one scale."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from ...core.errors import InputError
from ..features import AbstractFeatures, PictureSet
from .base import AbstractMeasured


@dataclass(frozen=True, eq=False)
class Both(AbstractMeasured):
    """Features of the images of both sets."""

    reference: Float64[np.ndarray, "n d"]
    candidate: Float64[np.ndarray, "m d"]
    components: tuple[str, ...]
    """What each column is part of."""


def features_of(extractor: AbstractFeatures, reference: PictureSet, candidate: PictureSet) -> Both:
    """Features of both sets.

    Raises
    ------
    InputError
        If the sets differ in channels or in axes, so that their features do not compare.
    """
    if (reference.n_channels, reference.ndim) != (candidate.n_channels, candidate.ndim):
        raise InputError(
            f"the reference has {reference.n_channels} channels and {reference.ndim} axes of space, the candidate "
            f"{candidate.n_channels} and {candidate.ndim}; compare sets of one kind"
        )
    extract = extractor.build()
    first, second = extract(reference), extract(candidate)
    return Both(first.values, second.values, first.components)


def standardized(both: Both, is_standardized: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Both sides, with each feature divided by its spread in the reference where that is asked for.

    A feature without spread in the reference is divided by that of both sets together; one without any is 0.
    """
    if not is_standardized:
        return both.reference, both.candidate
    middle, scale = both.reference.mean(axis=0), both.reference.std(axis=0)
    together = np.concatenate([both.reference, both.candidate]).std(axis=0)
    size = np.abs(middle) + together
    scale = np.where(scale > 1e-9 * size, scale, together)
    scale = np.where(scale > 1e-12 * size, scale, np.inf)
    return (both.reference - middle) / scale, (both.candidate - middle) / scale


def require_images(both: Both, n: int, what: str) -> None:
    """Refuse sets of fewer than `n` images."""
    smaller = min(len(both.reference), len(both.candidate))
    if smaller < n:
        raise InputError(f"{what} needs {n} images in each set; one has {smaller}")
