"""Rank methods by their scores on the same units, with the uncertainty that the units leave."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import rankdata

from ...core.errors import InputError
from ...core.rng import Key
from ._scores import Scheme, ScoreTable, aggregate, score_matrix
from .intervals import can_resolve, check_level, resample_counts


@dataclass(frozen=True, eq=False)
class Ranking:
    """Order of methods, and how far other samples of units would have changed it."""

    table: pd.DataFrame
    """One row per method (index), in the order given: `score` (mean over its units, failures included), `rank`
    (1 the best; equal methods share the better rank), `rank_low` and `rank_high` (bootstrap interval), `p_best`
    (share of resamples in which it is best; a tie for the best is shared), `n_units`, `n_failed`."""

    distribution: pd.DataFrame
    """Methods by ranks 1 to n_methods: share of resamples with that rank. Rows sum to 1."""

    scheme: Scheme
    level: float
    n_units: int


def rank_methods(
    scores: ScoreTable,
    *,
    higher_is_better: bool,
    key: Key,
    scheme: Scheme = "mean_then_rank",
    failed: ScoreTable | None = None,
    worst: float | None = None,
    level: float = 0.95,
    n_resamples: int = 2000,
) -> Ranking:
    """Rank methods by bootstrap over the units [1]_.

    Parameters
    ----------
    scores : (n_units, n_methods)
        Score of each method on each unit (image or scene). NaN where the score is undefined for this unit.
    scheme
        `mean_then_rank` averages each method over the units for which its score is defined.
        `rank_then_mean` ranks within each unit, and leaves out units that some method has no score for.
        `test_then_rank` counts the methods that each one beats by one-sided signed-rank tests with Holm's correction
        at 5 %; methods that no test tells apart share a rank.
    failed : (n_units, n_methods)
        True where a method failed (crashed, ran out of time). In a mean a failure scores `worst`; ranks within units
        and tests put it behind every score, `worst` itself included. It is not the same as an undefined score, which
        is left out.
    worst
        Score of a failure, e.g. `AbstractMetric.worst`; None takes the worst score in `scores`.

    Returns
    -------
    ranking
        A method with no defined score has score and rank NaN. Rank interval, `p_best` and distribution are
        NaN where there are too few units to say: below 4 at 95 %.

    Raises
    ------
    InputError
        If scores are infinite, or there is no such scheme or level.

    References
    ----------
    .. [1] M. Wiesenfarth et al., "Methods and open-source toolkit for analyzing and visualizing challenge
       results", Sci. Rep. 11 (2021) 2369.
    """
    check_level(level, n_resamples)
    if scheme not in get_args(Scheme):
        raise InputError(f"there is no scheme {scheme!r}; known: {', '.join(get_args(Scheme))}")
    matrix = score_matrix(scores, failed, higher_is_better=higher_is_better, worst=worst)
    n, m = matrix.values.shape
    point = aggregate(matrix, scheme, np.ones((1, n), int), higher_is_better=higher_is_better)
    ranks = np.full((0, m), np.nan)
    if can_resolve(n, level):
        counts = resample_counts(n, key, n_resamples)
        resampled = aggregate(matrix, scheme, counts, higher_is_better=higher_is_better)
        # A resample in which some method has no defined unit has no ranking; a method without any has none ever.
        is_ranked = ~np.isnan(point[0])
        ranks = _ranks(resampled[~np.isnan(resampled[:, is_ranked]).any(axis=1)])
    tails = [(1 - level) / 2, (1 + level) / 2]
    ends = np.quantile(ranks, tails, axis=0, method="inverted_cdf") if len(ranks) else np.full((2, m), np.nan)
    is_known = ~np.isnan(matrix.values)
    totals, n_known = np.where(is_known, matrix.values, 0).sum(axis=0), is_known.sum(axis=0)
    table = pd.DataFrame(
        {
            "score": np.where(n_known > 0, totals / np.maximum(n_known, 1), np.nan),
            "rank": _ranks(point)[0],
            "rank_low": ends[0],
            "rank_high": ends[1],
            "p_best": _p_best(ranks),
            "n_units": n_known,
            "n_failed": matrix.failed.sum(axis=0),
        },
        index=pd.Index(matrix.methods, name="method"),
    )
    shares = _mean_rows(ranks[:, :, None] == np.arange(1, m + 1), ranks)
    distribution = pd.DataFrame(shares, index=table.index, columns=pd.RangeIndex(1, m + 1, name="rank"))
    return Ranking(table, distribution, scheme, level, n)


def _ranks(badness: Float[np.ndarray, "b m"]) -> Float[np.ndarray, "b m"]:
    """Rank of each method in each row, 1 the best; equal ones share the better rank; NaN stays NaN."""
    ranks = rankdata(np.where(np.isnan(badness), np.inf, badness), method="min", axis=1).astype(float)
    return np.where(np.isnan(badness), np.nan, ranks)


def _p_best(ranks: Float[np.ndarray, "b m"]) -> Float[np.ndarray, " m"]:
    is_best = ranks == 1
    return _mean_rows(is_best / np.maximum(is_best.sum(axis=1, keepdims=True), 1), ranks)


def _mean_rows(values: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Mean over resamples; NaN for methods without a rank, or for all where there is no resample."""
    if len(ranks) == 0:
        return np.full(values.shape[1:], np.nan)
    result = values.mean(axis=0, dtype=float)
    result[np.isnan(ranks).any(axis=0)] = np.nan
    return result
