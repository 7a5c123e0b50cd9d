"""Bootstrap intervals over independent units."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Integer
from scipy.stats import beta, norm, t

from ...core.errors import InputError
from ...core.rng import Key

Statistic = Callable[[np.ndarray], np.ndarray | np.floating]
"""(..., n) or (..., n, d), the units of many resamples, to (...), the statistic of each."""

Method = Literal["studentized", "bca", "percentile"]
"""How an interval is made of resamples."""

_CHUNK = 2**21
"""Numbers held at a time while resampling: 16 MB."""

_LEAST_VARIANCE = 0.1
"""Of a resample, as share of that of the units, see `_studentized`. By simulation: without it intervals of shares are
up to three times too wide, and from 0.15 on those of skewed scores lose coverage."""


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval."""

    value: float
    """The statistic of the units; NaN where it is undefined."""

    low: float
    """Lower end; NaN where there are too few units to say."""

    high: float
    """Upper end; NaN where there are too few units to say."""

    level: float
    """Confidence level, in (0, 1)."""

    n: int
    """Units that had a value."""


def mean(values: Float[np.ndarray, "*many n"]) -> np.ndarray | np.floating:
    """Mean over the units."""
    return values.mean(axis=-1)


def ratio(rows: Float[np.ndarray, "*many n 2"]) -> np.ndarray | np.floating:
    """Pooled score: the sum of the first column over that of the second, which is not negative."""
    return rows[..., 0].sum(axis=-1) / rows[..., 1].sum(axis=-1)


def bootstrap_interval(
    values: np.ndarray,
    statistic: Statistic = mean,
    *,
    key: Key,
    level: float = 0.95,
    method: Method | None = None,
    n_resamples: int = 2000,
    is_small_sample: bool = True,
    groups: np.ndarray | None = None,
) -> Interval:
    """Estimate a statistic of independent units with its bootstrap confidence interval.

    The units must be independent: images or scenes, not the objects or crops of one image.

    Parameters
    ----------
    values : (n,) or (n, d)
        One row per unit. Rows with a NaN have no value and are left out; they do not count in `n`.
    statistic
        Takes (..., n) or (..., n, d) and reduces the units: `mean`, `ratio` for a pooled score, or your own.
    key
        Equal keys give equal intervals.
    method
        `studentized` resamples the mean, or the ratio of two sums, in units of its standard error [1]_, which follows
        the skewness of the scores; it is there for `mean` and `ratio` only, and what is taken for these by default.
        `bca` corrects percentiles for bias and skewness by the jackknife [2]_, the default for every other statistic;
        `percentile` does not.
    is_small_sample
        Of `bca` and `percentile`: widen the percentiles to those of Student's t with the variance of a sample of n,
        as a bootstrap distribution is too narrow by sqrt((n - 1) / n) and normal in its tails [3]_, section 4.3.
        Without it they are as published, and nominal 95 % covers some 90 % at n = 10.
    groups : (n,)
        Which group each row belongs to (scene, patient, plate), where rows of a group are not independent: whole
        groups are resampled then [4]_, and `n` counts groups.

    Returns
    -------
    interval
        `low` and `high` are NaN where there are too few units to say: below 6 at 95 % for a mean or ratio, below 4 for
        other statistics; and where all units of a mean or ratio are alike, for a bootstrap knows only the values that
        it has seen. No end of a mean or ratio lies beyond the smallest or largest unit, so that scores of 0 to 1 have
        ends of 0 to 1. Below 20 units the interval is too short where most scores are equal.
        `python -m proofs statistics` measures the coverage.

    Raises
    ------
    InputError
        If `values` has no axis or more than two or is infinite, if `groups` has a gap, if there is no such method or
        level, or if `studentized` is asked for another statistic.

    References
    ----------
    .. [1] A. Davison, D. Hinkley, "Bootstrap Methods and their Application", Cambridge 1997, section 5.2.2, with the
       variance of section 2.7.2. We keep the variance of a resample from falling below a tenth of that of the units,
       and both ends within the range of the units, and widen both by sqrt(n / (n - 1)): by simulation, ten units of an
       exponential need it.
    .. [2] B. Efron, "Better bootstrap confidence intervals", J. Am. Stat. Assoc. 82 (1987) 171-185, Eq. 2.3
       with the acceleration of Eq. 7.3.
    .. [3] T. Hesterberg, "What teachers should know about the bootstrap", Am. Stat. 69 (2015) 371-386.
    .. [4] Reference 1, section 3.8.
    """
    check_level(level, n_resamples)
    if method is not None and method not in get_args(Method):
        raise InputError(f"there is no method {method!r}; known: {', '.join(get_args(Method))}")
    units = np.asarray(values, float)
    if units.ndim not in (1, 2):
        raise InputError(f"values has {units.ndim} axes; needs one row per unit, (n,) or (n, d)")
    if units.ndim == 2 and statistic is mean:
        raise InputError(f"values has shape {units.shape}; the mean is of one number per unit, (n,)")
    if np.isinf(units).any():
        raise InputError(
            "values has an infinite one, which has no interval; leave such units out, or make them NaN"
        )
    is_known = ~np.isnan(units.reshape(len(units), -1)).any(axis=1) if len(units) else np.zeros(0, bool)
    if groups is not None and np.shape(groups) != (len(units),):
        raise InputError(
            f"groups has shape {np.shape(groups)} and there are {len(units)} units; needs one for each"
        )
    if groups is not None and pd.isna(groups).any():
        raise InputError("groups has a gap (None or NaN); name the group of every unit")
    units, names = units[is_known], None if groups is None else np.asarray(groups)[is_known]
    n = len(units) if names is None else len(np.unique(names))
    value = float(statistic(units)) if n else math.nan
    has_variance = statistic in (mean, ratio)
    if method == "studentized" and not has_variance:
        raise InputError(
            "a studentized interval needs the variance of the statistic, which is known of `mean` and `ratio` only; "
            "take method 'bca'"
        )
    is_studentized = has_variance and method in (None, "studentized")
    if math.isnan(value) or not (can_hold_mean(n, level) if is_studentized else can_resolve(n, level)):
        return Interval(value, math.nan, math.nan, level, n)
    if is_studentized:
        return _studentized(value, _as_ratio(units, names), key, level, n_resamples)
    if names is not None:
        units, statistic = _by_group(units, names, statistic)
    resampled = resample(units, statistic, key, n_resamples)
    low, high = _percentiles(level, n, is_small_sample)
    if method != "percentile":
        low, high = _correct(low, high, value, resampled, _jackknife(units, statistic))
    ends = np.nanquantile(resampled, norm.cdf([low, high]))
    return Interval(value, float(ends[0]), float(ends[1]), level, n)


def _as_ratio(units: np.ndarray, groups: np.ndarray | None) -> Float[np.ndarray, "n 2"]:
    """Numerator and denominator of each unit, or summed over each group: of a mean, the values and how many."""
    rows = np.stack([units, np.ones(len(units))], axis=1) if units.ndim == 1 else units
    if groups is None:
        return rows
    _, where = np.unique(groups, return_inverse=True)
    return np.stack([np.bincount(where, weights=column) for column in rows.T], axis=1)


def _studentized(
    value: float, rows: Float[np.ndarray, "n 2"], key: Key, level: float, n_resamples: int
) -> Interval:
    """Interval of the ratio of two sums by the distribution of its error in standard errors.

    The variance of a ratio r is that of the residuals a - r b of the units. Where resamples may consist of equal
    units only, as those of shares and of scores piled up at 1, it would be 0 and the error infinite.
    """
    n, (a, b) = len(rows), rows.T
    middle = a.sum() / b.sum()
    e = a - middle * b
    variance = (e @ e) * n / (n - 1) / b.sum() ** 2
    if variance <= 1e-24 * max(abs(middle), 1e-300) ** 2:
        return Interval(value, math.nan, math.nan, level, n)  # all alike, but for rounding
    columns = np.stack([e, b, e * e, e * b, b * b], axis=1)
    generator = key.generator()
    errors = []
    for size in _split(n_resamples, n):
        sums = (generator.multinomial(n, np.full(n, 1 / n), size) @ columns).T
        with np.errstate(divide="ignore", invalid="ignore"):  # a resample without a denominator has no ratio
            error = sums[0] / sums[1]
            squares = sums[2] - 2 * error * sums[3] + error**2 * sums[4]
            of_resample = squares * n / (n - 1) / sums[1] ** 2
            errors.append(error / np.sqrt(np.maximum(of_resample, _LEAST_VARIANCE * variance)))
    tail = (1 - level) / 2
    scale = math.sqrt(variance * n / (n - 1))
    high, low = value - np.nanquantile(np.concatenate(errors), [tail, 1 - tail]) * scale
    each = a[b > 0] / b[b > 0]
    low, high = max(float(low), float(each.min())), min(float(high), float(each.max()))
    return Interval(value, min(low, value), max(high, value), level, n)


def share_interval(is_hit: Bool[np.ndarray, " n"], *, level: float = 0.95) -> Interval:
    """Share of the units for which something holds, with its exact interval [1]_, which is never too short.

    A bootstrap says nothing where all units are alike; here none of ten misses means that up to 31 % may.

    References
    ----------
    .. [1] C. Clopper, E. Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial",
       Biometrika 26 (1934) 404-413.
    """
    n, k = len(is_hit), int(is_hit.sum())
    if n == 0:
        return Interval(math.nan, math.nan, math.nan, level, 0)
    tail = (1 - level) / 2
    low = float(beta.ppf(tail, k, n - k + 1)) if k else 0.0
    high = float(beta.isf(tail, k + 1, n - k)) if k < n else 1.0
    return Interval(k / n, low, high, level, n)


def _by_group(units: np.ndarray, groups: np.ndarray, statistic: Statistic) -> tuple[np.ndarray, Statistic]:
    """One row per group, and the statistic of such rows: groups stand in for units everywhere else."""
    names, where = np.unique(groups, return_inverse=True)
    rows = (
        np.split(np.argsort(where, kind="stable"), np.cumsum(np.bincount(where))[:-1]) if len(names) else []
    )

    def of_groups(chosen: np.ndarray) -> np.ndarray:
        flat = chosen.reshape(-1, chosen.shape[-1]).astype(int)
        each = [float(statistic(units[np.concatenate([rows[g] for g in draw])])) for draw in flat]
        return np.array(each).reshape(chosen.shape[:-1])

    return np.arange(len(names), dtype=float), of_groups


def can_resolve(n: int, level: float) -> bool:
    """Can a bootstrap of `n` units have tails as small as the confidence level asks for?

    One unit drawn n times is the most extreme resample and has probability n^-n: 1/4 for two units.
    """
    return n > 1 and float(n) ** -n <= (1 - level) / 2


def can_hold_mean(n: int, level: float) -> bool:
    """Can an interval between the smallest and the largest of `n` units hold the mean as often as the level says?

    Of a symmetric distribution all n units lie on one side of the mean with probability 2^(1 - n).
    """
    return 2.0 ** (1 - n) <= 1 - level


def check_level(level: float, n_resamples: int) -> None:
    """Refuse a confidence level or a number of resamples that there is not.

    Raises
    ------
    InputError
        If so.
    """
    if not 0 < level < 1:
        raise InputError(f"level is {level}; a confidence level is between 0 and 1, such as 0.95")
    if n_resamples < 1:
        raise InputError(f"n_resamples is {n_resamples}; at least 1 is needed, and 1000 or more make sense")


def resample(units: np.ndarray, statistic: Statistic, key: Key, n_resamples: int) -> Float[np.ndarray, " b"]:
    """Statistic of each of `n_resamples` samples of the units, drawn with replacement."""
    generator = key.generator()
    n = len(units)
    chunks = _split(n_resamples, units.size)
    return np.concatenate(
        [np.asarray(statistic(units[generator.integers(0, n, (size, n))])) for size in chunks]
    )


def resample_counts(
    n: int, key: Key, n_resamples: int, size: int | None = None
) -> Integer[np.ndarray, "b n"]:
    """How often each of `n` units is in each resample of `size` units (`n` by default), to which rows sum."""
    return key.generator().multinomial(size or n, np.full(n, 1 / n), size=n_resamples)


def _jackknife(units: np.ndarray, statistic: Statistic) -> Float[np.ndarray, " n"]:
    """Statistic with each unit left out in turn."""
    n = len(units)
    others = np.arange(n - 1)
    parts, start = [], 0
    for size in _split(n, units.size):
        left_out = np.arange(start, start + size)[:, None]
        parts.append(np.asarray(statistic(units[others + (others >= left_out)])))
        start += size
    return np.concatenate(parts)


def _split(n_rows: int, row_size: int) -> Iterator[int]:
    """Sizes of the chunks in which `n_rows` rows of `row_size` numbers fit the memory set aside."""
    size = max(1, _CHUNK // max(row_size, 1))
    for start in range(0, n_rows, size):
        yield min(size, n_rows - start)


def _percentiles(level: float, n: int, is_small_sample: bool) -> tuple[float, float]:
    """Ends of the interval in standard deviations of the bootstrap distribution."""
    tail = (1 - level) / 2
    high = math.sqrt(n / (n - 1)) * t.isf(tail, n - 1) if is_small_sample else norm.isf(tail)
    return -float(high), float(high)


def _correct(
    low: float, high: float, value: float, resampled: np.ndarray, jackknife: np.ndarray
) -> tuple[float, float]:
    """Move both ends by the bias and the acceleration."""
    below = np.mean(resampled < value) + np.mean(resampled == value) / 2
    edge = 0.5 / len(resampled)
    bias = norm.ppf(np.clip(below, edge, 1 - edge))
    pull = np.nanmean(jackknife) - jackknife
    spread = np.nansum(pull**2) ** 1.5
    acceleration = np.nansum(pull**3) / (6 * spread) if spread > 0 else 0.0

    def move(end: float) -> float:
        shifted = bias + end
        shrink = 1 - acceleration * shifted
        # Past the pole of the correction the percentile is the last one on that side.
        return float(bias + shifted / shrink) if shrink > 0 else math.copysign(math.inf, shifted)

    return move(low), move(high)
