"""Smooth random fields that are functions of position: the same value wherever and in whatever order asked.

Gradient noise [1]_: a hash gives every point of an integer lattice a direction, and a quintic blends the ramps
that rise along them, so the field has continuous second derivatives and shows no trace of the lattice's axes.
Nothing is stored, so a field costs no memory and any box of it can be evaluated on its own.

References
----------
.. [1] K. Perlin, "Improving noise", ACM Trans. Graph. 21 (2002) 681-682.
.. [2] G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014: the mixer.
"""

import math

import numpy as np
from numba import njit

_X, _Y, _Z = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x165667B19E3779F9)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_S60, _S40, _LOW24, _ONE, _TWO = np.uint64(60), np.uint64(40), np.uint64(0xFFFFFF), np.uint64(1), np.uint64(2)


@njit(cache=True, inline="always")
def _mix(state):
    state = (state ^ (state >> _S30)) * _M1
    state = (state ^ (state >> _S27)) * _M2
    return state ^ (state >> _S31)


# The largest value of the blend of ramps in 3D is 1.0364.
_SCALE = 1.0 / 1.0364


@njit(cache=True, inline="always")
def _ramp(key, iz, iy, ix, dz, dy, dx):
    """Height at an offset from a lattice point, along one of the 12 directions to the edges of a cube [1]_."""
    h = _mix(key + np.uint64(iz) * _X + np.uint64(iy) * _Y + np.uint64(ix) * _Z) >> _S60
    u = dx if h < 8 else dy
    v = dy if h < 4 else (dx if h == 12 or h == 14 else dz)
    return (-u if h & _ONE else u) + (-v if h & _TWO else v)


@njit(cache=True)
def uniform(key, index, stream):
    """Number in [0, 1) of the key (uint64): the `index`-th of an independent `stream` (both integers)."""
    hashed = _mix(_mix(key + np.uint64(index) * _X) + np.uint64(stream) * _Y)
    return (hashed >> _S11) * (1.0 / 9007199254740992.0)


@njit(cache=True, inline="always")
def hashed(key, z, y, x):
    """State of a stream of random numbers that belongs to a place (whole numbers) under a key (uint64)."""
    return _mix(key + np.uint64(z) * _X + np.uint64(y) * _Y + np.uint64(x) * _Z)


@njit(cache=True, inline="always")
def next_uniform(state):
    """Next state of a stream, and a number in (0, 1) [2]_."""
    state += _X
    return state, ((_mix(state) >> _S11) + 0.5) * (1.0 / 9007199254740992.0)


@njit(cache=True, inline="always")
def _fade(t):
    return t * t * t * (t * (t * 6.0 - 15.0) + 10.0)


@njit(cache=True)
def noise(key, z, y, x):
    """Value in [-1, 1] of the field `key` (uint64) at a point, in units of the lattice spacing.

    Over many keys the mean is 0 and the standard deviation the same at all points with one z: 0.24 where z is whole,
    which is where 2D scenes lie, and up to 0.27 between. Every key shifts the lattice along y and x by an amount of
    its own.
    """
    shift = _mix(key + _M1)
    y += (shift >> _S40) * (1.0 / 16777216.0)
    x += (shift & _LOW24) * (1.0 / 16777216.0)
    fz, fy, fx = math.floor(z), math.floor(y), math.floor(x)
    iz, iy, ix = int(fz), int(fy), int(fx)
    z, y, x = z - fz, y - fy, x - fx
    wy, wx = _fade(y), _fade(x)
    total = 0.0
    for dz in range(2):
        wz = _fade(z) if dz else 1.0 - _fade(z)
        if wz == 0.0:
            continue
        a = _ramp(key, iz + dz, iy, ix, z - dz, y, x)
        b = _ramp(key, iz + dz, iy, ix + 1, z - dz, y, x - 1.0)
        c = _ramp(key, iz + dz, iy + 1, ix, z - dz, y - 1.0, x)
        d = _ramp(key, iz + dz, iy + 1, ix + 1, z - dz, y - 1.0, x - 1.0)
        a += (b - a) * wx
        c += (d - c) * wx
        total += wz * (a + (c - a) * wy)
    return total * _SCALE


@njit(cache=True)
def fill_noise(out, key, origin, step):
    """Fill `out` (Z, Y, X) with the field `key` at `origin + index * step` (lattice units, 3 values each)."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                out[i, j, k] = noise(
                    key, origin[0] + i * step[0], origin[1] + j * step[1], origin[2] + k * step[2]
                )
