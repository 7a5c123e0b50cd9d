"""Compare methods on the same units: signed-rank tests, Holm's correction, effect sizes, gains."""

from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.stats import rankdata, wilcoxon

from ...core.errors import InputError
from ...core.rng import Key
from ._scores import ScoreTable, score_matrix
from .intervals import bootstrap_interval

Alternative = Literal["two-sided", "greater", "less"]

_MOST_EXACT = 50
"""Differences up to which the signed-rank test is exact."""


@dataclass(frozen=True)
class Gain:
    """By how much one set of scores is better than another on the same units."""

    value: float
    """Mean gain; positive is better, whatever the direction of the score."""

    low: float
    high: float
    level: float

    p: float
    """Of the signed-rank test."""

    effect: float
    """Matched-pairs rank-biserial correlation, -1 to 1; positive is better."""

    n: int
    """Units with a score on both sides."""


def paired_gain(
    after: np.ndarray,
    before: np.ndarray,
    *,
    key: Key,
    higher_is_better: bool = True,
    alternative: Alternative = "two-sided",
    level: float = 0.95,
    n_resamples: int = 2000,
) -> Gain:
    """Compare two sets of scores of the same units, such as a tuned method with its default.

    Parameters
    ----------
    after, before : (n,)
        Score of each unit; a unit with a NaN on either side is left out.
    alternative
        `greater` asks whether `after` is better than `before`, `two-sided` whether it differs.

    Returns
    -------
    gain
        The interval is the bootstrap interval of the mean over units, NaN below 6 units at 95 %. `p` and `effect` are
        NaN without a unit; units that are all equal give p = 1 and effect 0.
    """
    if np.shape(after) != np.shape(before):
        raise InputError(
            f"after and before have {np.shape(after)} and {np.shape(before)} units; pair them first"
        )
    gains = np.asarray(after, float) - np.asarray(before, float)
    gains = gains[~np.isnan(gains)] * (1 if higher_is_better else -1)
    interval = bootstrap_interval(gains, key=key, level=level, n_resamples=n_resamples)
    return Gain(
        value=interval.value,
        low=interval.low,
        high=interval.high,
        level=level,
        p=signed_rank_p(gains, alternative),
        effect=rank_biserial(gains),
        n=interval.n,
    )


def paired_tests(
    scores: ScoreTable,
    *,
    higher_is_better: bool,
    key: Key,
    failed: ScoreTable | None = None,
    worst: float | None = None,
    level: float = 0.95,
    n_resamples: int = 2000,
) -> pd.DataFrame:
    """Test every pair of methods by Wilcoxon's signed-rank test, with Holm's correction over the pairs.

    Parameters
    ----------
    scores, failed, worst
        As in `rank_methods`; a unit that is undefined for one of the two methods is left out of their test.

    Returns
    -------
    table
        One row per pair: `method_a`, `method_b`, `n` units, `mean_difference` (gain of a over b, positive where a
        is better) with its bootstrap interval `low` to `high` (at `level`, not corrected for their number), `effect`
        (matched-pairs rank-biserial correlation, positive where a is better), `p`, and `p_holm`.
    """
    matrix = score_matrix(scores, failed, higher_is_better=higher_is_better, worst=worst)
    rows = []
    for i, j in combinations(range(len(matrix.methods)), 2):
        gain = paired_gain(
            matrix.values[:, i],
            matrix.values[:, j],
            key=key.child(matrix.methods[i], matrix.methods[j]),
            higher_is_better=higher_is_better,
            level=level,
            n_resamples=n_resamples,
        )
        names = (matrix.methods[i], matrix.methods[j])
        rows.append((*names, gain.n, gain.value, gain.low, gain.high, gain.effect, gain.p))
    columns = ["method_a", "method_b", "n", "mean_difference", "low", "high", "effect", "p"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(p_holm=holm(table["p"].to_numpy(float)))


def signed_rank_p(differences: Float[np.ndarray, " n"], alternative: Alternative = "two-sided") -> float:
    """p-value of Wilcoxon's signed-rank test that differences are symmetric about zero.

    Zero differences are left out, as in the paper [1]_. Exact up to 50 differences, given their ties, else by the
    normal approximation with the correction for ties. 1 where all are zero; NaN without a difference.

    References
    ----------
    .. [1] F. Wilcoxon, "Individual comparisons by ranking methods", Biometrics Bull. 1 (1945) 80-83.
    """
    if len(differences) == 0:
        return float("nan")
    differences = differences[differences != 0]
    if len(differences) == 0:
        return 1.0
    if len(differences) <= _MOST_EXACT:
        return _exact_p(differences, alternative)
    result: Any = wilcoxon(differences, alternative=alternative)  # its class is made at run time
    return float(result.pvalue)


def _exact_p(differences: Float[np.ndarray, " n"], alternative: Alternative) -> float:
    """Share of all choices of signs whose rank sum is as extreme, counted by a generating function."""
    ranks = np.round(2 * rankdata(np.abs(differences))).astype(int)  # twice, so that shared ranks are whole
    share = np.ones(1)
    for rank in ranks:  # each rank is in the sum or not, with equal chance
        share = (np.pad(share, (0, rank)) + np.pad(share, (rank, 0))) / 2
    at = int(ranks[differences > 0].sum())
    as_high, as_low = share[at:].sum(), share[: at + 1].sum()
    p = {"greater": as_high, "less": as_low, "two-sided": 2 * min(as_high, as_low)}[alternative]
    return float(min(p, 1.0))


def rank_biserial(differences: Float[np.ndarray, " n"]) -> float:
    """Matched-pairs rank-biserial correlation: share of rank sum in favour less share against [1]_.

    From -1 to 1; 0 where all differences are zero; NaN without a difference.

    References
    ----------
    .. [1] D. Kerby, "The simple difference formula", Compr. Psychol. 3 (2014) 11.IT.3.1.
    """
    if len(differences) == 0:
        return float("nan")
    differences = differences[differences != 0]
    if len(differences) == 0:
        return 0.0
    ranks = rankdata(np.abs(differences))
    return float((ranks * np.sign(differences)).sum() / ranks.sum())


def holm(p: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
    """Correct p-values for their number by Holm's step-down method [1]_.

    NaN stays NaN and does not count as a test.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6 (1979) 65-70.
    """
    p = np.asarray(p, float)
    if p.ndim != 1:
        raise InputError(
            f"p has {p.ndim} axes; give the p-values of one family as one row, such as p.ravel()"
        )
    corrected = np.full(p.shape, np.nan)
    order = np.argsort(p)[: np.count_nonzero(~np.isnan(p))]  # NaN sorts last
    steps = p[order] * np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected
