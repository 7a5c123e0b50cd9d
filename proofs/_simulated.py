"""Populations whose distances are known, and methods whose order is."""

import math
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from scipy.linalg import sqrtm

from cellsynth.core.rng import Key
from cellsynth.evaluate.realism import registry
from cellsynth.evaluate.realism._manifold import is_within_manifold
from cellsynth.evaluate.realism._sets import Both, standardized
from cellsynth.evaluate.statistics import Interval

N_FEATURES = 4

COMPONENTS = ("a", "a", "a", "b")


@dataclass(frozen=True)
class Population:
    """Images of both sides by their features; the reference has mean 0, and variance 1 in every feature."""

    name: str
    shift: float = 0.0
    scale: float = 1.0
    correlation: float = 0.0
    degrees_of_freedom: float = math.inf

    def draw(self, rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Features of n images of the reference and of the candidate."""
        z = rng.normal(size=(2, n, N_FEATURES)) @ np.linalg.cholesky(self.covariance).T
        if self.degrees_of_freedom < math.inf:
            z = rng.standard_t(self.degrees_of_freedom, size=z.shape)
            z /= math.sqrt(self.degrees_of_freedom / (self.degrees_of_freedom - 2))
        return z[0], z[1] * self.scale + self.shift

    @property
    def covariance(self) -> np.ndarray:
        """Of the reference."""
        return self.correlation * np.ones((N_FEATURES, N_FEATURES)) + (1 - self.correlation) * np.eye(
            N_FEATURES
        )


POPULATIONS = (
    Population("equal populations"),
    Population("means 0.5 apart", shift=0.5),
    Population("scale times 1.5", scale=1.5),
    Population("heavy tails (Student, 5), means 0.5 apart", shift=0.5, degrees_of_freedom=5),
    Population("features correlated by 0.6, means 0.5 apart", shift=0.5, correlation=0.6),
)


@cache
def true_distance(kind: str, population: Population) -> float:
    """Distance of the populations: by formula, or of the kernel distance by two hundred thousand images."""
    if kind == "statistics_distance":
        return max(abs(population.shift), abs(population.scale - 1) * math.sqrt(2 / math.pi))
    if kind == "frechet_distance":
        first = population.covariance
        second = first * population.scale**2
        root = np.real(np.asarray(sqrtm(first @ second)))
        return float(N_FEATURES * population.shift**2 + np.trace(first + second - 2 * root))
    if population.shift == 0 and population.scale == 1:
        return 0.0
    # The kernel is (x.y / d + 1)^3, so its mean over pairs is a polynomial in the moments up to the third.
    x, y = population.draw(Key.from_seed(0).child("truth", population.name).generator(), 200_000)
    moments = [[np.ones(()), s.mean(axis=0), s.T @ s / len(s), _third(s)] for s in (x, y)]
    weights = (1, 3 / N_FEATURES, 3 / N_FEATURES**2, 1 / N_FEATURES**3)
    return sum(w * float(((a - b) ** 2).sum()) for w, a, b in zip(weights, *moments, strict=True))


def _third(side: np.ndarray) -> np.ndarray:
    return np.einsum("ni,nj,nk->ijk", side, side, side, optimize=True) / len(side)


def distance_study(kind: str, population: Population, n: int, key: Key) -> tuple[Interval, float]:
    """Interval of a distance of two sets of n images, and the truth."""
    x, y = population.draw(key.generator(), n)
    interval = registry.parse(kind).interval(Both(x, y, COMPONENTS), key=key.child("resamples"))
    return interval, true_distance(kind, population)


def share_study(kind: str, population: Population, n: int, key: Key) -> tuple[Interval, float]:
    """Interval of precision or recall, and the share of 2000 other images that lie in the manifold as it is."""
    x, y = population.draw(key.generator(), n)
    both = Both(x, y, COMPONENTS)
    more_x, more_y = population.draw(key.child("more").generator(), 2000)
    scaled, (new_x, new_y) = (
        standardized(both),
        ((side - x.mean(axis=0)) / x.std(axis=0) for side in (more_x, more_y)),
    )
    inside = (
        is_within_manifold(new_y, scaled[0], 3)
        if kind == "precision"
        else is_within_manifold(new_x, scaled[1], 3)
    )
    return registry.parse(kind).interval(both, key=key.child("resamples")), float(inside.mean())


@dataclass(frozen=True)
class Methods:
    """Methods whose true levels are drawn anew in every study."""

    n_methods: int
    spread: float
    """Of the true levels, in standard errors of a mean over 30 images."""

    def levels(self, rng: np.random.Generator) -> np.ndarray:
        """True levels of one study."""
        return rng.normal(0, self.spread / math.sqrt(30), self.n_methods)

    def other_levels(self, rng: np.random.Generator, levels: np.ndarray) -> np.ndarray:
        """Levels of the same methods on another kind of image: the same, near, or hardly related."""
        return levels + rng.normal(0, self.spread / math.sqrt(30), self.n_methods) * rng.choice(
            [0.0, 0.7, 2.0]
        )


def scores_of(levels: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Scores on n images, some of which are harder for every method."""
    return levels + rng.normal(0, 2, (n, 1)) + rng.normal(0, 1, (n, len(levels)))


def true_tau(a: np.ndarray, b: np.ndarray) -> float:
    """Kendall's tau of two orders without ties."""
    pairs = list(combinations(range(len(a)), 2))
    return float(np.mean([np.sign((a[i] - a[j]) * (b[i] - b[j])) for i, j in pairs]))
