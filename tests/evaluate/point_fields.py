"""Random point sets whose two sides agree in part, and matching by one dense assignment."""

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from cellsynth.evaluate.detection import PointPair


def random_points(seed: int, ndim: int = 2, spacing: float = 8.0) -> PointPair:
    """Reference and prediction with three classes; some points moved, lost and invented; either may be empty."""
    rng = np.random.default_rng(seed)
    size = np.array([23.0, 61.0, 47.0])[-ndim:] * spacing / 8
    reference = rng.uniform(0, size, (int(rng.integers(0, 30)), ndim))
    classes = rng.integers(0, 3, len(reference))
    is_kept = rng.random(len(reference)) < 0.8
    moved = reference[is_kept] + rng.normal(0, 4, (is_kept.sum(), ndim))
    invented = rng.uniform(0, size, (int(rng.integers(0, 5)), ndim))
    prediction = np.concatenate([moved, invented])
    predicted = np.concatenate([classes[is_kept], rng.integers(0, 3, len(invented))])
    predicted[rng.random(len(predicted)) < 0.3] = 1
    order = rng.permutation(len(prediction))
    return PointPair(
        reference,
        prediction[order],
        reference_classes=classes,
        prediction_classes=predicted[order],
    )


seeds = st.tuples(st.integers(0, 2**32 - 1), st.sampled_from([2, 3]), st.sampled_from([2.0, 8.0, 20.0]))
"""Hypothesis strategy of arguments of `random_points`: 2D or 3D, crowded or sparse."""


def swapped(pair: PointPair) -> PointPair:
    return PointPair(
        pair.prediction,
        pair.reference,
        reference_classes=pair.prediction_classes,
        prediction_classes=pair.reference_classes,
    )


def matched_densely(reference: np.ndarray, prediction: np.ndarray, radius: float) -> tuple[int, float]:
    """Number of matches and their total distance, by one assignment over all pairs."""
    distances = cdist(reference, prediction)
    is_near = distances <= radius
    gain = np.where(is_near, 1 - distances / radius / (2 * min(distances.shape, default=1) or 1), 0)
    i, j = linear_sum_assignment(gain, maximize=True)
    kept = is_near[i, j]
    return int(kept.sum()), float(distances[i, j][kept].sum())
