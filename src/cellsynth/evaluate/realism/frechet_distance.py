"""Frechet distance of the features of two sets."""

import math
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np

from ...core.rng import Key
from ..features import AbstractFeatures, PictureSet
from ..features import registry as feature_kinds
from ..statistics import Interval
from ._frechet import frechet_parts
from ._jackknife import jackknifed
from ._sets import Both, features_of, require_images, standardized
from .base import AbstractRealismMetric, registry

_IMAGES_PER_FEATURE = 2
"""Below this, bias is most of the distance and resampling cannot tell how much."""


@registry.register
class FrechetDistance(AbstractRealismMetric[Both]):
    """Squared Frechet distance of the Gaussians fitted to the features of both sets [1]_.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)). It is the FID of the literature only with the features of
    Inception-v3, and not otherwise. Small sets make it too large, by more the more features there are for an image:
    compare values of sets of equal size only. The interval is that of the distance of the populations, by the jackknife
    over the images of both sets, and safe: it reaches down as far as without this bias, and up as far as with it. Below
    2 images per feature its ends are NaN.

    Range 0 to infinity, lower is better; 0 for a set against itself, never NaN. Needs 2 images in each set.

    References
    ----------
    .. [1] M. Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NIPS
       2017, Eq. 6.
    """

    kind: Literal["frechet_distance"] = "frechet_distance"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    always_named: ClassVar[tuple[str, ...]] = ("features",)

    features: Annotated[AbstractFeatures, *feature_kinds.field()] = feature_kinds.parse("microscopy")
    """What an image is described by."""

    is_standardized: bool = True
    """Divide each feature by its spread in the reference. Needed where features have units of their own; the published
    distance does not."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> Both:
        return features_of(self.features, reference, candidate)

    def score(self, measured: Both) -> float:
        return sum(self.parts(measured).values())

    def parts(self, measured: Both) -> dict[str, float]:
        require_images(measured, 2, "a Frechet distance")
        means, covariances = frechet_parts(*standardized(measured, self.is_standardized))
        return {"means": means, "covariances": covariances}

    def interval(self, measured: Both, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        x, y = standardized(measured, self.is_standardized)
        n_features = np.count_nonzero(np.ptp(np.concatenate([x, y]), axis=0))
        if min(len(x), len(y)) < _IMAGES_PER_FEATURE * n_features:
            return Interval(self.score(measured), math.nan, math.nan, level, min(len(x), len(y)))

        def score(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            both = replace(measured, reference=x, candidate=y)
            return np.array([sum(frechet_parts(*standardized(both, self.is_standardized)))])

        found = jackknifed(score, measured.reference, measured.candidate, key=key, level=level)
        low, high = (max(end, 0.0) for end in found.safe_ends())
        return Interval(self.score(measured), low, high, level, min(len(x), len(y)))
