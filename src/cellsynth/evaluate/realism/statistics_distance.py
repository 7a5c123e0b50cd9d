"""Distance of the distributions of plain statistics of the images."""

import math
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from jaxtyping import Float64
from scipy.special import ndtr

from ...core.rng import Key
from ..features import AbstractFeatures, PictureSet
from ..features import registry as feature_kinds
from ..statistics import Interval
from ._jackknife import jackknifed
from ._sets import Both, features_of, require_images, standardized
from .base import AbstractRealismMetric, registry


@registry.register
class StatisticsDistance(AbstractRealismMetric[Both]):
    """Wasserstein distance of every feature over its spread in the reference, mean over features and components.

    Each feature is compared on its own, so the parts say what is off: 1 in a part means that its features are off
    by one standard deviation of the reference.

    With few images the value is above 0 even for two samples of one population. The interval is that of the distance of
    the populations, by the jackknife over the images of both sets, and conservative: how much of the value is chance
    cannot be known where the distance is small, so the lower end takes off the most that is plausible, and the upper
    end nothing. It always holds the value.

    Range 0 to infinity, lower is better; 0 for a set against itself, never NaN. Needs 2 images in each set.

    References
    ----------
    .. [1] S. Vallender, "Calculation of the Wasserstein distance between probability distributions on the line", Theory
       Probab. Appl. 18 (1974) 784-786. Which statistics, and that their distances are averaged, is ours.
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
        distances, _ = wasserstein(*standardized(measured))
        names = np.array(measured.components)
        return {name: float(distances[names == name].mean()) for name in dict.fromkeys(measured.components)}

    def interval(self, measured: Both, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        x, y = measured.reference, measured.candidate
        weights = _weights(measured.components)

        def scores(x: np.ndarray, y: np.ndarray) -> np.ndarray:
            scaled = standardized(replace(measured, reference=x, candidate=y))
            distance, by_chance = wasserstein(*scaled)
            return np.array([weights @ distance, weights @ (distance - by_chance)])

        found = jackknifed(scores, x, y, key=key, level=level)
        low = max(float(found.value[1] - found.margin[1]), 0.0)
        high = float(found.value[0] + found.margin[0])
        return Interval(self.score(measured), low, high, level, min(len(x), len(y)))


def _weights(components: tuple[str, ...]) -> Float64[np.ndarray, " d"]:
    """Weight of each feature: every component weighs the same, however many features it has."""
    n_components = len(set(components))
    return np.array([1 / (components.count(name) * n_components) for name in components])


def wasserstein(
    x: Float64[np.ndarray, "n d"], y: Float64[np.ndarray, "m d"]
) -> tuple[Float64[np.ndarray, " d"], Float64[np.ndarray, " d"]]:
    """Wasserstein-1 distance of every feature, and the most of it that is plausibly chance.

    The distance is the area between both distributions. Their difference at a value is nearly normal about the true
    one, with a known standard deviation s, and the mean of |d + s Z| exceeds |d| by s g(|d| / s), where g falls from
    sqrt(2 / pi) to 0. For d the observed difference is taken, one standard deviation smaller.
    """
    values = np.concatenate([x, y])
    order = np.argsort(values, axis=0, kind="stable")
    is_reference = order < len(x)
    share_x = np.cumsum(is_reference, axis=0)[:-1] / len(x)
    share_y = np.cumsum(~is_reference, axis=0)[:-1] / len(y)
    steps = np.diff(np.take_along_axis(values, order, axis=0), axis=0)
    apart = np.abs(share_x - share_y)
    s = np.sqrt(share_x * (1 - share_x) / (len(x) - 1) + share_y * (1 - share_y) / (len(y) - 1))
    at_least = np.maximum(apart / np.maximum(s, 1e-12) - 1, 0)
    density = np.exp(-(at_least**2) / 2) / math.sqrt(2 * math.pi)
    by_chance = 2 * s * (density - at_least * ndtr(-at_least))
    return (apart * steps).sum(axis=0), (by_chance * steps).sum(axis=0)
