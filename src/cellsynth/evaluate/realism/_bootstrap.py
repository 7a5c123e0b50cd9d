"""Interval of a distance between two sets, by resampling the images of both."""

from collections.abc import Callable

import numpy as np

from ...core.rng import Key
from ..statistics import Interval
from ..statistics.intervals import can_resolve, resample_counts

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""How often each image of the reference (b, n) and the candidate (b, m) is drawn, to the distance of each draw (b,)."""


def two_sample_interval(
    value: float,
    distance: Distance,
    sizes: tuple[int, int],
    *,
    key: Key,
    level: float,
    n_resamples: int,
    lowest: float,
) -> Interval:
    """Basic bootstrap interval [1]_: the value minus the errors that resampling makes.

    A distance between finite sets is too large, as two samples of one population differ; a resample of a sample is
    again too large by about as much. The basic interval takes that off, so it holds the distance of the
    populations, and for sets that are small or alike it lies below the value itself. Percentiles of resamples would
    lie above it.

    References
    ----------
    .. [1] A. Davison, D. Hinkley, "Bootstrap methods and their application", Cambridge 1997, section 5.2.1.
    """
    n = min(sizes)
    if np.isnan(value) or not can_resolve(n, level):
        return Interval(value, float("nan"), float("nan"), level, n)
    drawn = distance(
        resample_counts(sizes[0], key.child("reference"), n_resamples),
        resample_counts(sizes[1], key.child("candidate"), n_resamples),
    )
    tail = (1 - level) / 2
    high, low = 2 * value - np.nanquantile(drawn, [tail, 1 - tail])
    return Interval(value, max(lowest, float(low)), max(lowest, float(high)), level, n)
