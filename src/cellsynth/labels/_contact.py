"""Whether and how far two ellipsoids overlap: the contact function of Perram and Wertheim, for kernels."""

import math

import numpy as np
from jaxtyping import Float
from numba import njit

_ROUNDS = 12
"""Of the search for the largest value: off by less than a thousandth, a tenth of the overlap that counts as none."""


@njit(cache=True, inline="always")
def _value(weight, dz, dy, dx, a, b):
    """Perram and Wertheim's function of the weight; `a` and `b` are symmetric, (6,): zz, yy, xx, zy, zx, yx."""
    v = 1.0 - weight
    zz, yy, xx = v * a[0] + weight * b[0], v * a[1] + weight * b[1], v * a[2] + weight * b[2]
    zy, zx, yx = v * a[3] + weight * b[3], v * a[4] + weight * b[4], v * a[5] + weight * b[5]
    # d' M^-1 d by the adjugate of the symmetric matrix.
    c_zz, c_yy, c_xx = yy * xx - yx * yx, zz * xx - zx * zx, zz * yy - zy * zy
    c_zy, c_zx, c_yx = zx * yx - zy * xx, zy * yx - zx * yy, zy * zx - zz * yx
    det = zz * c_zz + zy * c_zy + zx * c_zx
    form = (
        dz * dz * c_zz
        + dy * dy * c_yy
        + dx * dx * c_xx
        + 2.0 * (dz * dy * c_zy + dz * dx * c_zx + dy * dx * c_yx)
    )
    return weight * v * form / det


@njit(cache=True)
def contact(dz, dy, dx, a, b, enough):
    """Square of the factor by which both ellipsoids grow (or shrink) until they touch [1]_.

    Below 1 they overlap, 1 is contact; the distance of the centres over its root is the distance of contact along
    that line. The search stops as soon as the value is proven to be above `enough`, and then gives what is proven.

    Parameters
    ----------
    dz, dy, dx
        From centre to centre.
    a, b : (6,)
        R diag(semi-axes^2) R' of each, as zz, yy, xx, zy, zx, yx.

    References
    ----------
    .. [1] J. Perram, M. Wertheim, "Statistical mechanics of hard ellipsoids. I. Overlap algorithm and the contact
       function", J. Comput. Phys. 58 (1985) 409-416, Eq. 2.
    """
    # The function is concave in the weight: any value is a lower bound, and golden sections find the largest.
    ratio = 0.6180339887498949
    low, high = 0.0, 1.0
    first, second = high - ratio, ratio
    f, g = _value(first, dz, dy, dx, a, b), _value(second, dz, dy, dx, a, b)
    best = max(f, g)
    if best > enough:
        return best
    for _ in range(_ROUNDS):
        if f < g:
            low, first, f = first, second, g
            second = low + ratio * (high - low)
            g = _value(second, dz, dy, dx, a, b)
        else:
            high, second, g = second, first, f
            first = high - ratio * (high - low)
            f = _value(first, dz, dy, dx, a, b)
        best = max(f, g)
        if best > enough:
            return best
    return best


@njit(cache=True)
def squared(axes, rotation, scale, out):
    """R diag((scale * axes)^2) R' as zz, yy, xx, zy, zx, yx."""
    for k, (i, j) in enumerate(((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))):
        total = 0.0
        for m in range(3):
            half = scale * axes[m]
            total += rotation[i, m] * rotation[j, m] * half * half
        out[k] = total


@njit(cache=True)
def support(form, nz, ny, nx):
    """How far an ellipsoid reaches from its centre along a unit direction: of its tangent plane, not its surface."""
    total = (
        nz * nz * form[0]
        + ny * ny * form[1]
        + nx * nx * form[2]
        + 2.0 * (nz * ny * form[3] + nz * nx * form[4] + ny * nx * form[5])
    )
    return math.sqrt(max(total, 0.0))


def with_gap(semi_axes: Float[np.ndarray, "n d"], gap: float, n_flat: int = 0) -> Float[np.ndarray, "n d"]:
    """Semi-axes of ellipsoids that hold all that is within half of `gap` of the given ones.

    Two of these that do not overlap are at least `gap` apart. Of a ball it is the ball with so much more radius; of
    others an ellipsoid around the parallel body [1]_, which is none, so a little more is kept free than was asked for.

    Parameters
    ----------
    n_flat
        First axes that do not count.

    References
    ----------
    .. [1] A. B. Kurzhanski, I. Valyi, "Ellipsoidal calculus for estimation and control" (1997), section 2.2: a bound of
       the sum of two ellipsoids; here with the mean radius as its parameter.
    """
    if gap == 0:
        return semi_axes
    counted = semi_axes[:, n_flat:]
    part = gap / 2 / np.exp(np.log(counted).mean(axis=1, keepdims=True))
    wide = np.array(semi_axes, np.float64)
    wide[:, n_flat:] = np.sqrt((1 + part) * counted**2 + (1 + 1 / part) * (gap / 2) ** 2)
    return wide
