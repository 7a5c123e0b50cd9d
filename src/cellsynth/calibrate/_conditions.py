"""Group images that look alike, and choose one image to stand for each group."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# What makes images look different; the rest follows or is noise.
_LOGARITHMIC = ("density", "radius", "contrast", "background", "edge", "noise_floor", "texture")
_PLAIN = ("axis_ratio", "contrast_spread", "touching", "haze", "dome")


@dataclass(frozen=True)
class Group:
    """Images that share a condition."""

    medoid: int
    """The image nearest to all others of the group."""

    members: tuple[int, ...]


def choose_conditions(
    statistics: Sequence[dict[str, float]], shapes: Sequence[tuple[int, ...]], n_groups: int
) -> list[Group]:
    """Cluster images by k-medoids on standardised statistics [1]_; every image alone where there are few.

    Image shapes count like statistics, so crops of one size tend to stay together. Deterministic: the first
    medoid is the most central image, each further one lowers the sum of distances most, then alternating
    assignment and update.

    References
    ----------
    .. [1] H.-S. Park, C.-H. Jun, "A simple and fast algorithm for K-medoids clustering", Expert Syst. Appl. 36
       (2009) 3336-3341.
    """
    n = len(statistics)
    if n <= n_groups:
        return [Group(i, (i,)) for i in range(n)]
    table = np.array(
        [
            [np.log(max(s[k], 1e-3)) for k in _LOGARITHMIC]
            + [s[k] for k in _PLAIN]
            + [np.log(np.prod(shape))]
            for s, shape in zip(statistics, shapes, strict=True)
        ]
    )
    scale = np.quantile(table, 0.84, axis=0) - np.quantile(table, 0.16, axis=0)
    table = np.clip(table / np.where(scale > 0, scale, 1.0), -20, 20)
    distance = np.abs(table[:, None] - table[None]).mean(axis=-1)
    medoids = [int(distance.sum(axis=1).argmin())]
    while len(medoids) < n_groups:
        # The image that brings all others nearest to a medoid.
        nearest = distance[:, medoids].min(axis=1)
        gain = (np.maximum(nearest[None] - distance, 0)).sum(axis=1)
        medoids.append(int(gain.argmax()))
    for _ in range(20):
        owner = distance[:, medoids].argmin(axis=1)
        members = [np.flatnonzero(owner == g) for g in range(n_groups)]
        updated = [int(m[distance[np.ix_(m, m)].sum(axis=1).argmin()]) for m in members if m.size]
        if updated == medoids:
            break
        medoids = updated
    owner = distance[:, medoids].argmin(axis=1)
    groups = [Group(m, tuple(int(i) for i in np.flatnonzero(owner == g))) for g, m in enumerate(medoids)]
    return [g for g in groups if g.members]
