"""Distance of the distributions of plain statistics of the images."""

import math
from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import Float64

from ...core.rng import Key
from ..features import AbstractFeatures, PictureSet
from ..features import registry as feature_kinds
from ..statistics import Interval
from ._bootstrap import two_sample_interval
from ._sets import Both, features_of, require_images, standardized
from .base import AbstractRealismMetric, registry


@registry.register
class StatisticsDistance(AbstractRealismMetric[Both]):
    """Wasserstein distance of every feature over its spread in the reference, mean over features and components.

    Each feature is compared on its own, so the parts say what is off: 1 in a part means that its features are off
    by one standard deviation of the reference. With few images the value is above 0 even for two samples of one
    population. The interval is without most of that, and begins at 0 where a permutation test does not tell the sets
    apart. In simulations of Gaussians nominal 95 % covered 79 to 88 % with 10 to 100 images, and 97 to 98 % where both
    populations were one.

    Range 0 to infinity, lower is better; 0 for a set against itself, never NaN. Needs 2 images in each set.
    """

    kind: Literal["statistics_distance"] = "statistics_distance"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    always_named: ClassVar[tuple[str, ...]] = ("features",)

    features: Annotated[AbstractFeatures, *feature_kinds.field()] = feature_kinds.parse("microscopy")
    """What an image is described by."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> Both:
        return features_of(self.features, reference, candidate)

    def score(self, measured: Both) -> float:
        return float(np.mean(list(self.parts(measured).values())))

    def parts(self, measured: Both) -> dict[str, float]:
        require_images(measured, 2, "a distance of statistics")
        x, y = standardized(measured)
        once = np.ones((1, len(x))), np.ones((1, len(y)))
        distances = np.array([wasserstein(x[:, j], y[:, j], *once)[0] for j in range(x.shape[1])])
        names = np.array(measured.components)
        return {name: float(distances[names == name].mean()) for name in dict.fromkeys(measured.components)}

    def interval(self, measured: Both, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        x, y = standardized(measured)
        value, sizes, pool = self.score(measured), (len(x), len(y)), np.concatenate([x, y])
        distance = partial(_mean_over_components, measured.components, x, y)
        interval = two_sample_interval(
            value, distance, sizes, key=key, level=level, n_resamples=n_resamples, lowest=0
        )
        # Resampling takes off too little of what two samples of one population differ by: ask a permutation test.
        order = np.argsort(key.child("split").generator().random((n_resamples, len(pool))))
        is_first = order < sizes[0]
        drawn = is_first * (len(pool) / sizes[0]), ~is_first * (len(pool) / sizes[1])
        by_chance = _mean_over_components(measured.components, pool, pool, *drawn)
        is_alike = value <= np.quantile(by_chance, (1 + level) / 2)
        return replace(interval, low=0.0) if is_alike and interval.low > 0 else interval


def _mean_over_components(
    components: tuple[str, ...], x: np.ndarray, y: np.ndarray, drawn_x: np.ndarray, drawn_y: np.ndarray
) -> np.ndarray:
    """Score of each draw: every component weighs the same, however many features it has."""
    n_components = len(set(components))
    total = np.zeros(len(drawn_x))
    for j, name in enumerate(components):
        distances = wasserstein(x[:, j], y[:, j], drawn_x, drawn_y)
        total += distances / (components.count(name) * n_components)
    return total


def wasserstein(
    x: Float64[np.ndarray, " n"], y: Float64[np.ndarray, " m"], drawn_x: np.ndarray, drawn_y: np.ndarray
) -> Float64[np.ndarray, " b"]:
    """Wasserstein-1 distance of two samples, for each draw (b, n) and (b, m): the area between both distributions."""
    values = np.concatenate([x, y])
    order = np.argsort(values, kind="stable")
    mass = np.concatenate([drawn_x / len(x), -drawn_y / len(y)], axis=1)[:, order]
    return np.abs(np.cumsum(mass, axis=1)[:, :-1]) @ np.diff(values[order])
