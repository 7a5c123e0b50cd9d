"""How many images it takes to see a difference, and what difference some images can show."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.stats import norm

from ...core.errors import InputError
from ...core.rng import Key
from ._scores import p_of_being_lower
from .intervals import resample_counts

MOST = 100_000
"""No more images than this are considered."""


@dataclass(frozen=True)
class Power:
    """Images that a paired comparison needs."""

    n: int
    """Fewest images with which the test finds the difference as often as asked; `MOST` where that is not enough."""

    reached: float
    """Share of the simulated studies of `n` images in which the test found it."""

    difference: float
    """Mean difference that is to be seen."""

    power: float
    """Share of the studies that was asked for."""

    alpha: float
    """Level of the two-sided test."""


def images_needed(
    differences: Float[np.ndarray, " n"],
    difference: float,
    *,
    key: Key,
    power: float = 0.8,
    alpha: float = 0.05,
    n_studies: int = 400,
) -> Power:
    """Find how many images show a mean difference between two methods, given how their differences scatter.

    Studies are simulated by drawing images with replacement from the observed differences, moved so that their mean is
    `difference`, and testing each study by the signed-rank test [1]_, normally approximated. The search starts from
    the size that the normal theory gives, and halves the range.

    Parameters
    ----------
    differences
        Score of one method less that of the other, per image, as observed; NaN is left out. At least 5 that are not
        all equal.
    difference
        Mean difference that is to be seen, such as 0.02; not 0.

    Raises
    ------
    InputError
        If there are too few differences to tell their scatter, or a share is not between 0 and 1.

    References
    ----------
    .. [1] R. Hamilton, B. Collings, "Determining the appropriate sample size for nonparametric tests for location
       shift", Technometrics 33 (1991) 327-337: power from the observed distribution by resampling.
    """
    centred = _centred(differences, power, alpha)
    if difference == 0 or not math.isfinite(difference):
        raise InputError(f"difference is {difference}; needs one that is to be seen, such as 0.02")

    def found(n: int) -> float:
        return _share_found(centred + difference, n, key.child(n), alpha, n_studies)

    z = norm.isf(alpha / 2) + norm.isf(1 - power)
    guess = math.pi / 3 * (z * centred.std(ddof=1) / difference) ** 2
    # Below 6 images no two-sided signed-rank test reaches 5 %.
    low, high = 1, int(min(max(guess, 6), MOST))
    while (share := found(high)) < power:
        if high >= MOST:
            return Power(MOST, share, difference, power, alpha)
        low, high = high, min(2 * high, MOST)
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        if (at_middle := found(middle)) >= power:
            high, share = middle, at_middle
        else:
            low = middle
    return Power(high, share, difference, power, alpha)


def smallest_difference(
    differences: Float[np.ndarray, " n"],
    n: int,
    *,
    key: Key,
    power: float = 0.8,
    alpha: float = 0.05,
    n_studies: int = 400,
) -> Power:
    """Find the smallest mean difference that `n` images show, given how the differences scatter.

    The inverse of `images_needed`, with the same simulated studies.

    Returns
    -------
    power
        `difference` is NaN where no difference can be seen: two-sided tests of fewer than 6 images never reach 5 %.

    Raises
    ------
    InputError
        If there are too few differences to tell their scatter, or a share is not between 0 and 1.
    """
    centred = _centred(differences, power, alpha)

    def found(difference: float) -> float:
        return _share_found(centred + difference, n, key, alpha, n_studies)

    most = float(np.ptp(centred)) * 2  # then all differences of every study have one sign
    if n < 1 or found(most) < power:
        return Power(n, 0.0, math.nan, power, alpha)
    low, high = 0.0, most
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if found(middle) >= power else (middle, high)
    return Power(n, found(high), high, power, alpha)


def _centred(differences: np.ndarray, power: float, alpha: float) -> Float[np.ndarray, " k"]:
    """Differences that are known, less their mean; refuses what says nothing of their scatter."""
    seen = np.asarray(differences, float)
    seen = seen[~np.isnan(seen)]
    if len(seen) < 5 or np.ptp(seen) == 0:
        raise InputError(
            f"{len(seen)} differences, spread {np.ptp(seen) if len(seen) else 0:g}: too few to tell how they "
            "scatter; at least 5 images that are not all equal are needed"
        )
    if not 0 < power < 1 or not 0 < alpha < 1:
        raise InputError(f"power {power:g} and alpha {alpha:g} are shares; both need to be between 0 and 1")
    return seen - seen.mean()


def _share_found(population: np.ndarray, n: int, key: Key, alpha: float, n_studies: int) -> float:
    """Share of simulated studies of n images in which the signed-rank test sees that the mean is not 0."""
    studies = resample_counts(len(population), key, n_studies, size=n)
    p = 2 * np.minimum(p_of_being_lower(population, studies), p_of_being_lower(-population, studies))
    return float(np.mean(p < alpha))
