"""Kernel distance of the features of two sets."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt

from ...core.rng import Key
from ..features import AbstractFeatures, PictureSet
from ..features import registry as feature_kinds
from ..statistics import Interval
from ._bootstrap import two_sample_interval
from ._sets import Both, features_of, require_images, standardized
from .base import AbstractRealismMetric, registry

_BLOCK = 1024
"""Rows of a kernel matrix held at a time while resampling."""


@registry.register
class KernelDistance(AbstractRealismMetric[Both]):
    """Squared maximum mean discrepancy of the features of both sets, unbiased, with a polynomial kernel [1]_.

    k(x, y) = (x.y / d + 1)^degree for d features. It is the KID of the literature only with the features of
    Inception-v3. Unlike the Frechet distance it does not grow as the sets get smaller, and it can be negative where
    they are alike. Sets larger than `subset_size` are scored by the mean over random subsets. In simulations of
    Gaussians the interval of nominal 95 % covered 86 to 89 % with 10 to 50 images and 93 % with 100; where both
    populations were one, it always held 0.

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
        x, y = standardized(measured, self.is_standardized)

        def distance(drawn_x: np.ndarray, drawn_y: np.ndarray) -> np.ndarray:
            a, b = drawn_x.astype(float), drawn_y.astype(float)
            cross = self._weighted(x, y, a, b) / (len(x) * len(y))
            return self._within(x, a) + self._within(y, b) - 2 * cross

        return two_sample_interval(
            self.score(measured),
            distance,
            (len(x), len(y)),
            key=key,
            level=level,
            n_resamples=n_resamples,
            lowest=-math.inf,
        )

    def _distance(self, x: np.ndarray, y: np.ndarray) -> float:
        within = [
            (np.sum(k) - np.trace(k)) / (len(k) * (len(k) - 1))
            for k in (self._kernel(x, x), self._kernel(y, y))
        ]
        return float(sum(within) - 2 * self._kernel(x, y).mean())

    def _kernel(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / x.shape[1] + self.offset) ** self.degree

    def _within(self, x: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Mean kernel of two different images of each draw; an image drawn twice is no pair with itself."""
        own = drawn**2
        diagonal = ((x * x).sum(axis=1) / x.shape[1] + self.offset) ** self.degree
        return (self._weighted(x, x, drawn, drawn) - own @ diagonal) / (
            drawn.sum(axis=1) ** 2 - own.sum(axis=1)
        )

    def _weighted(self, x: np.ndarray, y: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Kernel summed over all pairs, weighted by how often both are drawn."""
        total = np.zeros(len(a))
        for i in range(0, len(x), _BLOCK):
            total += ((a[:, i : i + _BLOCK] @ self._kernel(x[i : i + _BLOCK], y)) * b).sum(axis=1)
        return total
