"""Smooth random fields that are functions of position: the same value wherever and in whatever order asked.

Gradient-free lattice ("value") noise: a hash gives every point of an integer lattice a number in [-1, 1],
and a quintic interpolates between them, so the field has continuous second derivatives. Nothing is stored,
so a field costs no memory and any box of it can be evaluated on its own.

References
----------
.. [1] K. Perlin, "Improving noise", ACM Trans. Graph. 21 (2002) 681-682: the quintic of Eq. 3.
.. [2] G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: the mixer.
"""

import math

import numpy as np
from numba import njit

_X, _Y, _Z = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)


@njit(cache=True, inline="always")
def _mix(state):
    state = (state ^ (state >> _S30)) * _M1
    state = (state ^ (state >> _S27)) * _M2
    return state ^ (state >> _S31)


@njit(cache=True, inline="always")
def _corner(key, z, y, x):
    hashed = _mix(key + np.uint64(z) * _X + np.uint64(y) * _Y + np.uint64(x) * _Z)
    return (hashed >> _S11) * (2.0 / 9007199254740992.0) - 1.0


@njit(cache=True)
def uniform(key, index, stream):
    """Number in [0, 1) of the key (uint64): the `index`-th of an independent `stream` (both integers)."""
    hashed = _mix(_mix(key + np.uint64(index) * _X) + np.uint64(stream) * _Y)
    return (hashed >> _S11) * (1.0 / 9007199254740992.0)


@njit(cache=True, inline="always")
def _fade(t):
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


@njit(cache=True)
def noise(key, z, y, x):
    """Value in [-1, 1] of the field `key` (uint64) at a point, in units of the lattice spacing.

    Over many keys the mean is 0 and the variance between 0.04 (cell centres) and 1/3 (lattice points).
    """
    fz, fy, fx = math.floor(z), math.floor(y), math.floor(x)
    iz, iy, ix = int(fz), int(fy), int(fx)
    tz, ty, tx = _fade(z - fz), _fade(y - fy), _fade(x - fx)
    total = 0.0
    for dz in range(2):
        wz = tz if dz else 1.0 - tz
        if wz == 0.0:
            continue
        for dy in range(2):
            wy = ty if dy else 1.0 - ty
            if wy == 0.0:
                continue
            a = _corner(key, iz + dz, iy + dy, ix)
            b = _corner(key, iz + dz, iy + dy, ix + 1)
            total += wz * wy * (a + (b - a) * tx)
    return total


@njit(cache=True)
def fill_noise(out, key, origin, step):
    """Fill `out` (Z, Y, X) with the field `key` at `origin + index * step` (lattice units, 3 values each)."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                out[i, j, k] = noise(
                    key, origin[0] + i * step[0], origin[1] + j * step[1], origin[2] + k * step[2]
                )
