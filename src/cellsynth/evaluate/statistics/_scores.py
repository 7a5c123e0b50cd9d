"""Scores of methods on units as one complete matrix, and their aggregates over resampled units."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer
from scipy.stats import rankdata

from ...core.errors import InputError

Scheme = Literal["mean_then_rank", "rank_then_mean"]
"""Average the scores and rank the averages, or rank in each unit and average the ranks."""

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
