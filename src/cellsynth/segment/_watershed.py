"""Seeds, flooding, and the cleaning of label images."""

import numpy as np
from numba import njit
from scipy import ndimage

from ..core.types import Labels, Mask, Plane


def peaks(plane: Plane, mask: Mask, min_distance_px: float) -> Labels:
    """Local maxima inside `mask`, the highest first; a peak suppresses lower ones nearer than the distance.

    Returns
    -------
    seeds : plane.shape, int32
        One pixel per seed, ids in raster order.
    """
    highest = ndimage.maximum_filter(plane, 3, mode="nearest")
    candidates = np.flatnonzero((plane == highest) & mask)
    order = candidates[np.argsort(-plane.ravel()[candidates], kind="stable")]
    kept = _suppress(order, plane.shape[0], plane.shape[1], max(min_distance_px, 1.0))
    seeds = np.zeros(plane.shape, np.int32)
    seeds.ravel()[np.sort(kept)] = np.arange(1, len(kept) + 1)
    return seeds


def flood(height: Plane, seeds: Labels, mask: Mask) -> Labels:
    """Watershed of `height` from `seeds` inside `mask`, in 2D or 3D; mask parts without a seed stay 0.

    Neighbours are all that share a side or a corner: 8 in 2D, 26 in 3D.

    It is the cut of the least spanning forest rooted in the seeds [1]_. Equal heights go in raster order, so
    give it a smooth `height`.

    References
    ----------
    .. [1] J. Cousty, G. Bertrand, L. Najman, M. Couprie, "Watershed cuts: minimum spanning forests and the
       drop of water principle", IEEE Trans. Pattern Anal. Mach. Intell. 31 (2009) 1362-1374.
    """
    inside = np.flatnonzero(mask)
    values = height.ravel()
    order = inside[np.argsort(values[inside], kind="stable")]
    return _flood(values, seeds.ravel(), order, *_planes_rows_columns(mask)).reshape(mask.shape)


def basins(priority: Plane, mask: Mask, persistence: float) -> Labels:
    """Divide `mask` into the regions of the peaks of `priority` that rise `persistence` above their saddle
    [1]_.

    The seeds are the h-maxima of `priority` with h = `persistence`; every pixel belongs to the peak that
    steepest ascent leads to. Every connected part of the mask has at least one region. In 2D or 3D, with the
    neighbours of `flood`.

    References
    ----------
    .. [1] F. Chazal, L. Guibas, S. Oudot, P. Skraba, "Persistence-based clustering in Riemannian manifolds",
       J. ACM 60 (2013) 41.
    """
    inside = np.flatnonzero(mask)
    values = priority.ravel()
    order = inside[np.argsort(-values[inside], kind="stable")]
    roots = _merge_basins(values, order, *_planes_rows_columns(mask), persistence)
    return gapless(roots.reshape(mask.shape))


def fill_holes(mask: Mask, max_area_px: float) -> Mask:
    """Fill background parts (connected by sides) that touch no border and are not larger than the limit."""
    parts = np.zeros(mask.shape, np.int32)
    ndimage.label(~mask, output=parts)
    keep = np.bincount(parts.ravel()) > max_area_px
    for axis in range(mask.ndim):
        for edge in (0, -1):
            keep[parts.take(edge, axis)] = True
    keep[0] = False
    return ~keep[parts]


def connected(mask: Mask) -> Labels:
    """Connected parts, by sides or corners."""
    parts = np.zeros(mask.shape, np.int32)
    ndimage.label(mask, structure=np.ones((3,) * mask.ndim, bool), output=parts)
    return parts


def gapless(labels: Labels, min_area_px: float = 0.0, max_area_px: float = np.inf) -> Labels:
    """Drop objects outside the range of areas and number the others 1..N (int32)."""
    area = np.bincount(labels.ravel())
    kept = (area > 0) & (area >= min_area_px) & (area <= max_area_px)
    kept[0] = False
    number = np.zeros(len(area), np.int32)
    number[kept] = np.arange(1, kept.sum() + 1)
    return number[labels]


def without_border(labels: Labels) -> Labels:
    """Drop objects that touch the border of the image; ids are left as they are."""
    touching = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return np.where(np.isin(labels, touching), 0, labels)


def inner_distance(mask: Mask) -> Plane:
    """Distance of foreground pixels to the background, in pixels; outside of the image is foreground."""
    if mask.all():
        return np.zeros(mask.shape, np.float32)
    return distance_to(~mask)


def distance_to(mask: Mask) -> Plane:
    """Distance of each pixel to the nearest one of `mask`, which must have one, in pixels."""
    return np.asarray(ndimage.distance_transform_edt(~mask), dtype=np.float32)


def _planes_rows_columns(mask: Mask) -> tuple[int, int, int]:
    n_rows, n_columns = mask.shape[-2:]
    return mask.shape[0] if mask.ndim == 3 else 1, n_rows, n_columns


@njit(cache=True)
def _suppress(order, n_rows, n_columns, radius):
    taken = np.zeros((n_rows, n_columns), np.bool_)
    kept = np.empty(len(order), np.int64)
    n = 0
    reach = int(radius)
    for i in order:
        y, x = i // n_columns, i % n_columns
        if taken[y, x]:
            continue
        kept[n] = i
        n += 1
        for v in range(max(y - reach, 0), min(y + reach + 1, n_rows)):
            for u in range(max(x - reach, 0), min(x + reach + 1, n_columns)):
                if (v - y) ** 2 + (u - x) ** 2 <= radius * radius:
                    taken[v, u] = True
    return kept[:n]


@njit(cache=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True)
def _flood(values, seeds, order, n_planes, n_rows, n_columns):
    """Join regions from the lowest pixels up, unless both have a seed and the seeds differ."""
    parent = np.full(len(values), -1, np.int32)
    owner = np.zeros(len(values), np.int32)  # of a root: the seed of its region, 0 for none yet
    for i in order:
        parent[i] = i
        owner[i] = seeds[i]
        z, y, x = i // (n_rows * n_columns), i // n_columns % n_rows, i % n_columns
        lowest = -1
        for w in range(max(z - 1, 0), min(z + 2, n_planes)):
            for v in range(max(y - 1, 0), min(y + 2, n_rows)):
                for u in range(max(x - 1, 0), min(x + 2, n_columns)):
                    j = (w * n_rows + v) * n_columns + u
                    if j != i and parent[j] >= 0 and (lowest < 0 or values[j] < values[lowest]):
                        lowest = j
        if lowest < 0:
            continue
        _join(parent, owner, i, lowest)  # the way water would run, before any other
        for w in range(max(z - 1, 0), min(z + 2, n_planes)):
            for v in range(max(y - 1, 0), min(y + 2, n_rows)):
                for u in range(max(x - 1, 0), min(x + 2, n_columns)):
                    j = (w * n_rows + v) * n_columns + u
                    if parent[j] >= 0:
                        _join(parent, owner, i, j)
    labels = np.zeros(len(values), np.int32)
    for i in order:
        labels[i] = owner[_root(parent, i)]
    return labels


@njit(cache=True)
def _join(parent, owner, i, j):
    i, j = _root(parent, i), _root(parent, j)
    if i != j and (owner[i] == 0 or owner[j] == 0 or owner[i] == owner[j]):
        owner[j] = max(owner[i], owner[j])
        parent[i] = j


@njit(cache=True)
def _merge_basins(values, order, n_planes, n_rows, n_columns, persistence):
    """Root pixel + 1 of every pixel in `order` (descending values); the root is the peak of its region."""
    parent = np.full(len(values), -1, np.int64)
    for i in order:
        z, y, x = i // (n_rows * n_columns), i // n_columns % n_rows, i % n_columns
        parent[i] = i
        steepest = -1
        for w in range(max(z - 1, 0), min(z + 2, n_planes)):
            for v in range(max(y - 1, 0), min(y + 2, n_rows)):
                for u in range(max(x - 1, 0), min(x + 2, n_columns)):
                    j = (w * n_rows + v) * n_columns + u
                    if j != i and parent[j] >= 0 and (steepest < 0 or values[j] > values[steepest]):
                        steepest = j
        if steepest < 0:
            continue
        here = _root(parent, steepest)
        parent[i] = here
        for w in range(max(z - 1, 0), min(z + 2, n_planes)):
            for v in range(max(y - 1, 0), min(y + 2, n_rows)):
                for u in range(max(x - 1, 0), min(x + 2, n_columns)):
                    j = (w * n_rows + v) * n_columns + u
                    if parent[j] < 0:
                        continue
                    other = _root(parent, j)
                    if other == here:
                        continue
                    # Equal peaks: the one earlier in raster order wins.
                    is_higher = values[other] > values[here] or (
                        values[other] == values[here] and other < here
                    )
                    low, high = (here, other) if is_higher else (other, here)
                    if values[low] - values[i] < persistence:
                        parent[low] = high
                        here = high
    roots = np.zeros(len(values), np.int32)
    for i in order:
        roots[i] = _root(parent, i) + 1
    return roots
