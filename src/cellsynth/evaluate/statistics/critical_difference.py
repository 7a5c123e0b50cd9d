"""Mean ranks, and how far they must lie apart: Friedman's test and Nemenyi's critical difference."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import friedmanchisquare, rankdata, studentized_range

from ._scores import ScoreTable, score_matrix


@dataclass(frozen=True, eq=False)
class CriticalDifference:
    """What a critical-difference diagram shows."""

    mean_ranks: pd.Series
    """Mean rank of each method over the units (index), the best first; ties share the mean of their ranks."""

    difference: float
    """Mean ranks that differ by more than this differ significantly; NaN for fewer than two methods or units."""

    groups: tuple[tuple[str, ...], ...]
    """Largest sets of neighbours that do not differ significantly; single methods are not listed."""

    friedman_p: float
    """That all methods are equal; NaN for fewer than three methods or two units."""

    n_units: int
    """Units for which every method has a score or failed."""


def critical_difference(
    scores: ScoreTable,
    *,
    higher_is_better: bool,
    failed: ScoreTable | None = None,
    worst: float | None = None,
    alpha: float = 0.05,
) -> CriticalDifference:
    """Compare methods by their mean ranks over the units [1]_.

    The difference is q sqrt(k (k + 1) / (6 n)) for k methods and n units, with q the quantile of the studentised
    range for infinite degrees of freedom over sqrt(2).

    Parameters
    ----------
    scores, failed, worst
        As in `rank_methods`. A failure ranks behind every score of its unit; units for which some method has no defined
        score are left out.

    References
    ----------
    .. [1] J. Demsar, "Statistical comparisons of classifiers over multiple data sets", J. Mach. Learn. Res. 7
       (2006) 1-30, section 3.2.
    """
    matrix = score_matrix(scores, failed, higher_is_better=higher_is_better, worst=worst)
    badness = -matrix.values if higher_is_better else matrix.values
    is_complete = ~np.isnan(badness).any(axis=1)
    badness = np.where(matrix.failed, np.inf, badness)[is_complete]
    n, k = badness.shape
    ranks = rankdata(badness, axis=1) if n else np.full((1, k), np.nan)
    means = pd.Series(ranks.mean(axis=0), index=pd.Index(matrix.methods, name="method")).sort_values(
        kind="stable"
    )
    if n < 2 or k < 2:
        return CriticalDifference(means, float("nan"), (), float("nan"), n)
    q = float(studentized_range.ppf(1 - alpha, k, np.inf)) / np.sqrt(2)
    difference = q * float(np.sqrt(k * (k + 1) / (6 * n)))
    friedman_p = float("nan")
    if k > 2:
        is_equal = bool((ranks == ranks[:, :1]).all())
        friedman_p = 1.0 if is_equal else float(friedmanchisquare(*ranks.T).pvalue)
    return CriticalDifference(means, difference, _groups(means, difference), friedman_p, n)


def _groups(means: pd.Series, difference: float) -> tuple[tuple[str, ...], ...]:
    """Runs of neighbours whose ends are within the difference, without those that lie in another run."""
    values, names = means.to_numpy(float), [str(name) for name in means.index]
    runs, reached = [], 0
    for first in range(len(values)):
        last = int(np.searchsorted(values, values[first] + difference, side="right"))
        if last > max(reached, first + 1):
            runs.append(tuple(names[first:last]))
        reached = max(reached, last)
    return tuple(runs)
