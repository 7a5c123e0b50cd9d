"""Frechet distance of two covariances of 2048 features, against the square root of their product by SciPy."""

from collections.abc import Iterator

import numpy as np
from scipy.linalg import sqrtm

from cellsynth.evaluate.realism._frechet import covariance_distance

from ._claim import Claim
from ._measure import compare

N_FEATURES = 2048


def claims() -> Iterator[Claim]:
    first, second, exact = covariances_with_known_distance(N_FEATURES)
    ours, other = covariance_distance(first, second), by_square_root(first, second)
    yield Claim(
        "frechet: relative error at 2048 features, against the exact distance of two covariances with common axes",
        value=abs(ours / exact - 1),
        target=1e-6,
        direction="at most",
    )
    yield Claim(
        "frechet: relative difference from SciPy's square root of the product, 2048 features",
        value=abs(ours / other - 1),
        target=1e-6,
        direction="at most",
    )
    timed = compare(
        lambda: covariance_distance(first, second), lambda: by_square_root(first, second), n_repeats=5
    )
    yield Claim(
        "frechet: distances of 2048 features per minute and core, against SciPy's square root of the product",
        value=60 / timed.ours_s,
        reference=60 / timed.other_s,
        ratio=timed.ratio,
        interval=timed.interval,
        target=10,
    )


def covariances_with_known_distance(n: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Two covariances with the same axes: the distance is the sum of (sqrt(a) - sqrt(b))^2 over their variances."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.normal(size=(n, n)))[0]
    a = np.geomspace(1, 1e-4, n)  # a spectrum that falls as that of features of networks does
    b = rng.permutation(a) * rng.uniform(0.5, 2, n)
    first, second = ((axes * variances) @ axes.T for variances in (a, b))
    return (first + first.T) / 2, (second + second.T) / 2, float(((np.sqrt(a) - np.sqrt(b)) ** 2).sum())


def by_square_root(first: np.ndarray, second: np.ndarray) -> float:
    """The formula as it stands."""
    root = sqrtm(first @ second)
    return float(np.trace(first) + np.trace(second) - 2 * np.trace(root).real)
