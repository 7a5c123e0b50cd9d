"""Matching of points within a radius, against one assignment over all pairs."""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from cellsynth.evaluate.detection._matching import match_points

from ._claim import Claim
from ._measure import compare, repeat

RADIUS_PX = 12.0
SPACING_PX = 25.0
"""Side of the square that each point has on average: nuclei of tissue at 40x."""


def claims() -> Iterator[Claim]:
    few, many = fields(5_000), fields(10_000)
    n, total = matched_densely(*few)
    matching = match_points(*few, RADIUS_PX)
    if (len(matching), round(float(matching.distances.sum()), 6)) != (n, round(total, 6)):
        raise AssertionError(f"the two sides differ: {len(matching)} and {n} matches")
    timed = compare(lambda: match_points(*few, RADIUS_PX), lambda: matched_densely(*few), n_repeats=5)
    yield Claim(
        "points: matchings of 5,000 points per second and core, against one assignment over all pairs",
        value=1 / timed.ours_s,
        reference=1 / timed.other_s,
        ratio=timed.ratio,
        interval=timed.interval,
        target=20,
    )
    seconds, interval = repeat(lambda: match_points(*many, RADIUS_PX))
    yield Claim(
        "points: seconds to match 10,000 points on one core",
        value=seconds,
        interval=interval,
        target=1,
        direction="at most",
    )


def fields(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Reference points, and a prediction that moves each, loses a tenth and invents a tenth."""
    rng = np.random.default_rng(0)
    size_px = SPACING_PX * np.sqrt(n)
    reference = rng.uniform(0, size_px, (n, 2))
    found = reference[rng.random(n) < 0.9]
    moved = found + rng.normal(0, 4, found.shape)
    return reference, np.concatenate([moved, rng.uniform(0, size_px, (n // 10, 2))])


def matched_densely(reference: np.ndarray, prediction: np.ndarray) -> tuple[int, float]:
    """Number of matches and their total distance: as many as possible, then the least distance."""
    distances = cdist(reference, prediction)
    is_near = distances <= RADIUS_PX
    gain = np.where(is_near, 1 - distances / RADIUS_PX / (2 * min(distances.shape)), 0)
    i, j = linear_sum_assignment(gain, maximize=True)
    kept = is_near[i, j]
    return int(kept.sum()), float(distances[i, j][kept].sum())
