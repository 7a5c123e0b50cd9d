"""Kernel distance of the features of two sets."""

import math
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from ...core.rng import Key
from ..features import AbstractFeatures, PictureSet
from ..features import registry as feature_kinds
from ..statistics import Interval
from ._jackknife import jackknifed
from ._sets import Both, features_of, require_images, standardized
from .base import AbstractRealismMetric, registry


@registry.register
class KernelDistance(AbstractRealismMetric[Both]):
    """Squared maximum mean discrepancy of the features of both sets, unbiased, with a polynomial kernel [1]_.

    k(x, y) = (x.y / d + 1)^degree for d features. It is the KID of the literature only with the features of
    Inception-v3. Unlike the Frechet distance it does not grow as the sets get smaller, and it can be negative where
    they are alike. Sets larger than `subset_size` are scored by the mean over random subsets.

    The interval is that of the distance of the populations, each feature over its spread in the population of the
    reference, by the jackknife over the images of both sets. The value is too large where that spread is known from few
    images. The interval reaches below and above with and without this bias, so it is wide
    rather than short (`python -m proofs statistics`).

    Range minus infinity to infinity, lower is better, 0 is what two samples of one population have on average; never
    NaN. Needs 2 images in each set.

    References
    ----------
    .. [1] M. Binkowski et al., "Demystifying MMD GANs", ICLR 2018, Eq. 4.
    """

    kind: Literal["kernel_distance"] = "kernel_distance"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    always_named: ClassVar[tuple[str, ...]] = ("features",)

    features: Annotated[AbstractFeatures, *feature_kinds.field()] = feature_kinds.parse("microscopy")
    """What an image is described by."""

    is_standardized: bool = True
    """Divide each feature by its spread in the reference; the published distance does not."""

    degree: PositiveInt = 3
    """Of the polynomial."""

    offset: PositiveFloat = 1.0
    """Added before taking the power."""

    subset_size: PositiveInt = 1000
    """Images of each set in a subset."""

    n_subsets: PositiveInt = 100
    """Subsets, where the sets are larger than one."""

    seed: int = 0
    """Of the choice of subsets."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> Both:
        return features_of(self.features, reference, candidate)

    def score(self, measured: Both) -> float:
        require_images(measured, 2, "a kernel distance")
        x, y = standardized(measured, self.is_standardized)
        size = max(2, self.subset_size)
        if max(len(x), len(y)) <= size:
            return self._distance(x, y)
        key = Key.from_seed(self.seed)
        return float(
            np.mean(
                [
                    self._distance(
                        *(
                            side[key.child(name, i).generator().permutation(len(side))[:size]]
                            for name, side in (("reference", x), ("candidate", y))
                        )
                    )
                    for i in range(self.n_subsets)
                ]
            )
        )

    def parts(self, measured: Both) -> dict[str, float]:
        return {}

    def interval(self, measured: Both, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        def score(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            both = replace(measured, reference=x, candidate=y)
            return np.array([self._distance(*standardized(both, self.is_standardized))])

        x, y = measured.reference, measured.candidate
        found = jackknifed(score, x, y, key=key, level=level)
        return Interval(self.score(measured), *found.safe_ends_of_square(), level, min(len(x), len(y)))

    def _distance(self, x: np.ndarray, y: np.ndarray) -> float:
        within = [
            (np.sum(k) - np.trace(k)) / (len(k) * (len(k) - 1))
            for k in (self._kernel(x, x), self._kernel(y, y))
        ]
        return float(sum(within) - 2 * self._kernel(x, y).mean())

    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / x.shape[1] + self.offset) ** self.degree
