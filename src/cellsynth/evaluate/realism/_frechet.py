"""Frechet distance of two Gaussians, without the square root of a matrix that is not symmetric."""

import numpy as np
from jaxtyping import Float64
from scipy.linalg import eigh, eigvalsh, lapack, svdvals


def frechet_parts(
    reference: Float64[np.ndarray, "n d"], candidate: Float64[np.ndarray, "m d"]
) -> tuple[float, float]:
    """Squared distance of the means, and of the covariances, of the Gaussians fitted to two samples.

    The distance of the covariances is tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) [1]_. With X1, X2 the centred samples, the
    last trace is the sum of the singular values of X1 X2^T / sqrt((n - 1)(m - 1)), which needs no covariance. That
    is taken where a sample has fewer rows than columns: its zeros stay zeros, where the eigenvalues of a singular
    S1 S2 would be rounding noise, and their roots no longer small.

    References
    ----------
    .. [1] D. Dowson, B. Landau, "The Frechet distance between multivariate normal distributions", J. Multivar. Anal. 12
       (1982) 450-455.
    """
    means = reference.mean(axis=0), candidate.mean(axis=0)
    x, y = reference - means[0], candidate - means[1]
    shift = means[0] - means[1]
    if min(len(x), len(y)) < x.shape[1]:
        root = svdvals(x @ y.T, check_finite=False).sum() / np.sqrt((len(x) - 1) * (len(y) - 1))
        traces = (x * x).sum() / (len(x) - 1) + (y * y).sum() / (len(y) - 1)
        return float(shift @ shift), max(0.0, float(traces - 2 * root))
    return float(shift @ shift), covariance_distance(x.T @ x / (len(x) - 1), y.T @ y / (len(y) - 1))


def covariance_distance(first: Float64[np.ndarray, "d d"], second: Float64[np.ndarray, "d d"]) -> float:
    """tr S1 + tr S2 - 2 tr (S1 S2)^(1/2) of two covariances, never negative.

    S1 S2 has the eigenvalues of L^T S2 L for any L with S1 = L L^T, and that is symmetric: Cholesky's factor, three
    times cheaper than the root of S1, or what is left of the eigenvectors where S1 is singular.
    """
    factor, failed = lapack.dpotrf(first, lower=1)
    if failed:
        values, vectors = eigh(first, check_finite=False)
        is_real = values > len(values) * np.finfo(float).eps * max(values[-1], 0)
        root = vectors[:, is_real] * np.sqrt(values[is_real])
        product = root.T @ second @ root
    else:
        product, _ = lapack.dsygst(second, factor, itype=2, lower=1)  # fills the lower triangle
    roots = np.zeros(1)
    if len(product):
        eigenvalues = eigvalsh(product, lower=True, check_finite=False, overwrite_a=True, driver="evd")
        roots = np.sqrt(np.maximum(eigenvalues, 0))
    return max(0.0, float(np.trace(first) + np.trace(second) - 2 * roots.sum()))
