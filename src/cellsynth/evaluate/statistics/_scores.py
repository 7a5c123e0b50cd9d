"""Scores of methods on units as one complete matrix, and their aggregates over resampled units."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer
from scipy.stats import norm, rankdata

from ...core.errors import InputError

Scheme = Literal["mean_then_rank", "rank_then_mean", "test_then_rank"]
"""Average the scores and rank the averages; rank in each unit and average the ranks; or count the methods that a
method beats significantly."""

ALPHA = 0.05
"""Family-wise error of the tests of `test_then_rank`."""

ScoreTable = pd.DataFrame | np.ndarray
"""Units by methods; the columns of a data frame name the methods."""


@dataclass(frozen=True, eq=False)
class ScoreMatrix:
    """Scores with failures filled in."""

    methods: list[str]
    """Names of the columns."""

    values: Float[np.ndarray, "n m"]
    """Score of each unit and method; NaN where it is undefined for this unit."""

    failed: Bool[np.ndarray, "n m"]
    """Where the method failed; `values` has the worst score there."""


def score_matrix(
    scores: ScoreTable, failed: ScoreTable | None, *, higher_is_better: bool, worst: float | None
) -> ScoreMatrix:
    """Check the scores of methods on units and give failures the worst score.

    Parameters
    ----------
    scores : (n_units, n_methods)
        NaN where the score is undefined for the unit, or the method failed; no infinite ones.
    failed : (n_units, n_methods)
        True where the method failed; None where none did. What `scores` says there is not used.
    worst
        Score of a failure; None takes the worst score that any method had on any unit.
    """
    values = np.array(scores, float)
    if values.ndim != 2:
        raise InputError(f"scores has {values.ndim} axes; needs units by methods")
    if values.shape[1] == 0:
        raise InputError(f"scores has no method, shape {values.shape}; needs one column for each")
    is_failed = np.zeros(values.shape, bool) if failed is None else np.array(failed, bool)
    if is_failed.shape != values.shape:
        raise InputError(f"scores and failed differ in shape: {values.shape} and {is_failed.shape}")
    values[is_failed] = np.nan
    if np.isinf(values).any():
        raise InputError("scores has an infinite value; mark failures in failed, undefined scores as NaN")
    if is_failed.any():
        known = values[~np.isnan(values)]
        if worst is None and len(known):
            worst = float(known.min() if higher_is_better else known.max())
        values[is_failed] = 0.0 if worst is None else worst  # nothing but failures: all are equal
    names = scores.columns if isinstance(scores, pd.DataFrame) else range(values.shape[1])
    return ScoreMatrix([str(name) for name in names], values, is_failed)


def aggregate(
    matrix: ScoreMatrix, scheme: Scheme, counts: Integer[np.ndarray, "b n"], *, higher_is_better: bool
) -> Float[np.ndarray, "b m"]:
    """Badness of each method in each resample: lower is better, NaN without a defined unit.

    Parameters
    ----------
    counts
        How often each unit is in each resample.
    """
    values = -matrix.values if higher_is_better else matrix.values
    if scheme == "test_then_rank":
        return -_n_beaten(values, matrix.failed, counts)
    if scheme == "rank_then_mean":
        values = _ranks_in_unit(values, matrix.failed)
    is_known = ~np.isnan(values)
    totals, n_known = counts @ np.where(is_known, values, 0.0), counts @ is_known.astype(float)
    # Equal methods must tie, so that the order of additions must not show: 12 digits are kept.
    scale = max(float(np.abs(values[is_known]).max(initial=0.0)), np.finfo(float).tiny)
    return np.where(n_known > 0, np.round(totals / np.maximum(n_known, 1) / scale, 12) * scale, np.nan)


def _ranks_in_unit(values: np.ndarray, failed: np.ndarray) -> np.ndarray:
    """Rank of each method in each unit, 1 the best, ties averaged, a failure behind every score.

    A unit for which a method has no score ranks fewer methods than the others, so it is left out (NaN).
    """
    is_complete = ~np.isnan(values).any(axis=1)
    ranks = np.full(values.shape, np.nan)
    ranks[is_complete] = rankdata(np.where(failed, np.inf, values)[is_complete], axis=1)
    return ranks


def _n_beaten(values: np.ndarray, failed: np.ndarray, counts: np.ndarray) -> Float[np.ndarray, "b m"]:
    """Methods that each method beats by one-sided signed-rank tests with Holm's correction over all ordered pairs.

    NaN for a method that shares no unit with any other.
    """
    # A failure is worse than every score, but not infinitely, so that its rank in the test is defined.
    known = values[~np.isnan(values) & ~failed]
    beyond = known.max(initial=0.0) + max(float(np.ptp(known)) if len(known) else 0.0, 1e-9)
    values = np.where(failed, beyond, values)
    m = values.shape[1]
    pairs = [(i, j) for i in range(m) for j in range(m) if i != j]
    if not pairs:
        return np.where(np.isnan(values).all(axis=0), np.nan, np.zeros((len(counts), m)))
    p = np.stack([p_of_being_lower(values[:, i] - values[:, j], counts) for i, j in pairs], axis=1)
    wins = _holm_rejects(p)
    beaten = np.zeros((len(counts), m))
    for k, (i, _) in enumerate(pairs):
        beaten[:, i] += wins[:, k]
    is_compared = np.array(
        [any(not np.isnan(p[:, k]).all() for k, q in enumerate(pairs) if i in q) for i in range(m)]
    )
    return np.where(is_compared, beaten, np.nan)


def p_of_being_lower(differences: np.ndarray, counts: np.ndarray) -> Float[np.ndarray, " b"]:
    """One-sided p of Wilcoxon's signed-rank test in each resample, that differences are below zero.

    By the normal approximation with its corrections for ties and continuity, as every resample has ties. Zeros are left
    out; p is 1 where nothing else is there, NaN where no unit has a difference.
    """
    is_known = ~np.isnan(differences)
    if not is_known.any():
        return np.full(len(counts), np.nan)
    d, c = differences[is_known], counts[:, is_known].astype(float)
    c, d = c[:, d != 0], d[d != 0]
    if len(d) == 0:
        return np.ones(len(counts))
    order = np.argsort(np.abs(d), kind="stable")
    d, c = d[order], c[:, order]
    starts = np.flatnonzero(np.r_[True, np.diff(np.abs(d)) > 0])
    tied = np.add.reduceat(c, starts, axis=1)
    ranks = np.cumsum(tied, axis=1) - tied + (tied + 1) / 2
    below = np.add.reduceat(c * (d < 0), starts, axis=1)
    n = tied.sum(axis=1)
    surplus = (below * ranks).sum(axis=1) - n * (n + 1) / 4
    variance = n * (n + 1) * (2 * n + 1) / 24 - (tied**3 - tied).sum(axis=1) / 48
    z = (surplus - 0.5 * np.sign(surplus)) / np.sqrt(np.maximum(variance, 1e-30))
    return np.where(n > 0, norm.sf(z), 1.0)


def _holm_rejects(p: Float[np.ndarray, "b k"]) -> Bool[np.ndarray, "b k"]:
    """Which tests of each row Holm's step-down method rejects at `ALPHA`; NaN is no test."""
    filled = np.where(np.isnan(p), np.inf, p)
    n_tests = (~np.isnan(p)).sum(axis=1, keepdims=True)
    order = np.argsort(filled, axis=1)
    is_small = np.take_along_axis(filled, order, axis=1) <= ALPHA / np.maximum(
        n_tests - np.arange(p.shape[1]), 1
    )
    rejected = np.zeros(p.shape, bool)
    np.put_along_axis(rejected, order, np.logical_and.accumulate(is_small, axis=1), axis=1)
    return rejected
