"""Improved recall of a set of images."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import PositiveInt

from ...core.rng import Key
from ..features import AbstractFeatures, PictureSet
from ..features import registry as feature_kinds
from ..statistics import Interval, share_interval
from ._manifold import is_within_manifold
from ._sets import Both, features_of, require_images, standardized
from .base import AbstractRealismMetric, registry


@registry.register
class Recall(AbstractRealismMetric[Both]):
    """Share of the reference's images within the manifold of the candidate: variety [1]_.

    The manifold is the union of balls around the features of its images, each reaching to the k-th neighbour in the
    same set. Swapping the sets gives `precision`, but for the scale of the features. The interval is the
    exact one of a share, over the images that are asked for, with the manifold as it is.

    Range 0 to 1; 1 for a set against itself, never NaN. Needs k + 1 images in each set.

    References
    ----------
    .. [1] T. Kynkaanniemi et al., "Improved precision and recall metric for assessing generative models", NeurIPS
       2019, Eq. 1 and 2; distances by Euclid.
    """

    kind: Literal["recall"] = "recall"
    always_named: ClassVar[tuple[str, ...]] = ("features",)

    features: Annotated[AbstractFeatures, *feature_kinds.field()] = feature_kinds.parse("microscopy")
    """What an image is described by."""

    is_standardized: bool = True
    """Divide each feature by its spread in the reference; the published metric does not."""

    k: PositiveInt = 3
    """Neighbour that a ball reaches to."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> Both:
        return features_of(self.features, reference, candidate)

    def score(self, measured: Both) -> float:
        return float(self._is_within(measured).mean())

    def parts(self, measured: Both) -> dict[str, float]:
        return {}

    def interval(self, measured: Both, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        return share_interval(self._is_within(measured), level=level)

    def _is_within(self, measured: Both) -> np.ndarray:
        require_images(measured, self.k + 1, f"recall with k = {self.k}")
        x, y = standardized(measured, self.is_standardized)
        return is_within_manifold(x, y, self.k)
