"""Do two sets of images rank the same methods alike?"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from ...core.errors import InputError
from ...core.rng import Key
from ._hierarchy import plausible_levels
from ._scores import Scheme, ScoreMatrix, ScoreTable, aggregate, score_matrix
from .intervals import can_resolve, resample_counts


@dataclass(frozen=True, eq=False)
class Agreement:
    """Kendall's tau of two rankings, with its interval."""

    tau: float
    """From -1 (reversed) to 1 (same order)."""

    low: float
    high: float
    level: float

    distribution: Float[np.ndarray, " b"]
    """Tau of each pair of plausible true orders, or of each resample; NaN where it was undefined."""

    n_methods: int
    """Methods that have a score on both sets."""

    n_units: tuple[int, int]
    """Units of both sets."""


def ranking_agreement(
    scores_a: ScoreTable,
    scores_b: ScoreTable,
    *,
    higher_is_better: bool,
    key: Key,
    scheme: Scheme = "mean_then_rank",
    failed_a: ScoreTable | None = None,
    failed_b: ScoreTable | None = None,
    worst: float | None = None,
    level: float = 0.95,
    n_resamples: int = 2000,
) -> Agreement:
    """Kendall's tau-b [1]_ between the rankings of the same methods on two sets of images.

    The interval holds the tau that ever more images of both kinds would come to. Noise on either side makes two orders
    agree less than they truly do, and resampling adds as much again, so tau of resamples is off towards 0. Instead the
    noise, which resampling the images of each set gives, is taken off by a model of the true levels
    (`plausible_levels`), and the interval holds the middle of the taus of such levels. For `test_then_rank`, whose
    order is not one of levels, it is the percentile interval over resamples. Both say what other images would have
    changed, not what other methods would have.

    Parameters
    ----------
    scores_a, scores_b : (n_units_a, n_methods), (n_units_b, n_methods)
        Scores as in `rank_methods`. Columns of data frames are aligned by name, those of arrays by position.

    Returns
    -------
    agreement
        `tau` is NaN with fewer than two methods that have a score on both sets, and where all methods of a
        set are equal. The interval is widened where need be to hold `tau` itself. It is NaN with fewer than three
        methods (tau of two is a sign), and where either set has too few units to say: below 4 at 95 %.

    Raises
    ------
    InputError
        If the two do not hold the same methods.

    References
    ----------
    .. [1] M. Kendall, "The treatment of ties in ranking problems", Biometrika 33 (1945) 239-251.
    """
    scores_b, failed_b = _aligned(scores_a, scores_b, failed_b)
    a = score_matrix(scores_a, failed_a, higher_is_better=higher_is_better, worst=worst)
    b = score_matrix(scores_b, failed_b, higher_is_better=higher_is_better, worst=worst)

    def badness(matrix: ScoreMatrix, counts: np.ndarray) -> np.ndarray:
        return aggregate(matrix, scheme, counts, higher_is_better=higher_is_better)

    n_a, n_b = len(a.values), len(b.values)
    point_a, point_b = badness(a, np.ones((1, n_a), int)), badness(b, np.ones((1, n_b), int))
    is_known = ~(np.isnan(point_a) | np.isnan(point_b))[0]
    tau = float(kendall_tau(point_a[:, is_known], point_b[:, is_known])[0])
    n_methods, n_units = int(is_known.sum()), (n_a, n_b)
    if math.isnan(tau) or n_methods < 3 or not (can_resolve(n_a, level) and can_resolve(n_b, level)):
        return Agreement(tau, math.nan, math.nan, level, np.empty(0), n_methods, n_units)
    drawn_a = badness(a, resample_counts(n_a, key.child("a"), n_resamples))[:, is_known]
    drawn_b = badness(b, resample_counts(n_b, key.child("b"), n_resamples))[:, is_known]
    if scheme != "test_then_rank":
        drawn_a, drawn_b = _without_noise(
            point_a[0, is_known], drawn_a, point_b[0, is_known], drawn_b, n_units, key
        )
    distribution = kendall_tau(drawn_a, drawn_b)
    low, high = np.nanquantile(distribution, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    low, high = min(float(low), tau), max(float(high), tau)
    return Agreement(tau, low, high, level, distribution, n_methods, n_units)


def _without_noise(
    a: np.ndarray, drawn_a: np.ndarray, b: np.ndarray, drawn_b: np.ndarray, n_units: tuple[int, int], key: Key
) -> tuple[np.ndarray, np.ndarray]:
    """Plausible true levels of the methods on both sets, less what all methods of a resample have in common."""
    levels, noises = [], []
    is_defined = ~(np.isnan(drawn_a).any(axis=1) | np.isnan(drawn_b).any(axis=1))
    for point, drawn, n in ((a, drawn_a, n_units[0]), (b, drawn_b, n_units[1])):
        m = len(point)
        level = point - point.mean()
        error = drawn[is_defined] - drawn[is_defined].mean(axis=1, keepdims=True) - level
        levels.append(level)
        # A bootstrap is too narrow by sqrt((n - 1) / n), and taking off the mean over methods by sqrt((m - 1) / m).
        noises.append(error * np.sqrt(n / (n - 1) * m / (m - 1)))
    generator = key.child("levels").generator()
    return plausible_levels(levels[0], noises[0], levels[1], noises[1], generator)


def kendall_tau(a: Float[np.ndarray, "b m"], b: Float[np.ndarray, "b m"]) -> Float[np.ndarray, " b"]:
    """Kendall's tau-b of each row of `a` with the same row of `b`; NaN where all of a row are equal.

    Pairs of methods in the same order, less those in opposite order, over the geometric mean of the numbers
    of pairs that are not tied in `a` and in `b`. A NaN in a row makes its tau NaN.
    """
    i, j = np.triu_indices(a.shape[1], k=1)
    sign_a, sign_b = np.sign(a[:, i] - a[:, j]), np.sign(b[:, i] - b[:, j])
    untied = (sign_a**2).sum(axis=1) * (sign_b**2).sum(axis=1)
    agreeing = (sign_a * sign_b).sum(axis=1)
    return np.where(untied > 0, agreeing / np.sqrt(np.where(untied > 0, untied, 1)), np.nan)


def _aligned(
    scores_a: ScoreTable, scores_b: ScoreTable, failed_b: ScoreTable | None
) -> tuple[ScoreTable, ScoreTable | None]:
    """Put the columns of the second set in the order of the first."""
    if not isinstance(scores_a, pd.DataFrame) or not isinstance(scores_b, pd.DataFrame):
        if np.shape(scores_a)[1:] != np.shape(scores_b)[1:]:
            raise InputError(
                f"the two sets have {np.shape(scores_a)[1:]} and {np.shape(scores_b)[1:]} methods; "
                "they must hold the same ones"
            )
        return scores_b, failed_b
    differing = set(scores_a.columns) ^ set(scores_b.columns)
    if differing:
        names = ", ".join(sorted(map(str, differing)))
        raise InputError(f"only one of the two sets has {names}; keep the methods that both have")
    if isinstance(failed_b, pd.DataFrame):
        failed_b = failed_b.reindex(columns=scores_a.columns)
    return scores_b.reindex(columns=scores_a.columns), failed_b
