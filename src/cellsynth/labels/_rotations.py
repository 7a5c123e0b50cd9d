"""Rotations of objects: column j is the direction of semi-axis j."""

import numpy as np
from jaxtyping import Float


def random_rotations(n: int, ndim: int, rng: np.random.Generator) -> Float[np.ndarray, "n d d"]:
    """Uniform rotations: an angle in 2D, a unit quaternion in 3D."""
    if ndim == 2:
        angle = rng.uniform(0, np.pi, n)
        cos, sin = np.cos(angle), np.sin(angle)
        return np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    q = rng.standard_normal((n, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def align_last_axis(
    direction: Float[np.ndarray, "n 3"], turn: Float[np.ndarray, " n"] | None = None
) -> Float[np.ndarray, "n 3 3"]:
    """Rotations whose last axis points along unit vectors, and whose first is as near to the depth as can be.

    Parameters
    ----------
    turn
        About the last axis, in radians; by default none.
    """
    depth = np.tile([1.0, 0.0, 0.0], (len(direction), 1))
    is_upright = np.abs(direction[:, 0]) > 0.999
    depth[is_upright] = [0.0, 1.0, 0.0]
    first = depth - direction * (depth * direction).sum(axis=1, keepdims=True)
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(direction, first)
    if turn is not None:
        cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
        first, second = cos * first + sin * second, cos * second - sin * first
    return np.stack([first, second, direction], axis=-1)
