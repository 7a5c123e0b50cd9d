"""Max-tree of a plane of levels: every connected part of every threshold, as nodes of one tree."""

from dataclasses import dataclass

import numpy as np
from numba import njit


@dataclass(frozen=True, eq=False)
class ComponentTree:
    """Nodes are the distinct connected parts (4-neighbours) over all thresholds; a parent comes before its
    children.

    Node 0 is the whole image. A part that stays the same over several thresholds is one node.
    """

    parent: np.ndarray
    """(n,) node that holds this one; the root is its own."""

    level: np.ndarray
    """(n,) highest threshold at which the part is still whole."""

    moments: np.ndarray
    """(n, 6) sums over the pixels of 1, y, x, y^2, x^2, x y."""

    node_of: np.ndarray
    """(Y, X) smallest node that holds the pixel."""

    @property
    def area(self) -> np.ndarray:
        """(n,) pixels."""
        return self.moments[:, 0]

    def ellipse_fill(self) -> np.ndarray:
        """(n,) area over that of the ellipse with the same second moments: 1 for an ellipse, less for a
        clump."""
        area, y, x, yy, xx, xy = self.moments.T
        variance_y = yy / area - (y / area) ** 2 + 1 / 12  # a pixel is a square, not a point
        variance_x = xx / area - (x / area) ** 2 + 1 / 12
        covariance = xy / area - y * x / area**2
        determinant = np.maximum(variance_y * variance_x - covariance**2, 1e-12)
        return area / (4 * np.pi * np.sqrt(determinant))


def component_tree(levels: np.ndarray) -> ComponentTree:
    """Build the tree by union-find over the pixels from the highest level down [1]_.

    Parameters
    ----------
    levels : (Y, X), uint8

    References
    ----------
    .. [1] C. Berger et al., "Effective component tree computation with application to pattern recognition in
       astronomical imaging", ICIP 2007. Algorithm 1 and the canonisation after it.
    """
    flat = levels.ravel()
    order = np.argsort(255 - flat, kind="stable")  # radix sort: linear
    parent, level, moments, node_of = _build(flat, order, *levels.shape)
    return ComponentTree(parent, level, moments, node_of.reshape(levels.shape))


@njit(cache=True)
def _build(flat, order, n_rows, n_columns):
    n = len(flat)
    parent = np.full(n, -1, np.int32)
    root = np.full(n, -1, np.int32)
    for i in order:
        parent[i] = i
        root[i] = i
        y, x = i // n_columns, i % n_columns
        for k in range(4):
            if k == 0 and y > 0:
                j = i - n_columns
            elif k == 1 and x > 0:
                j = i - 1
            elif k == 2 and x < n_columns - 1:
                j = i + 1
            elif k == 3 and y < n_rows - 1:
                j = i + n_columns
            else:
                continue
            if parent[j] < 0:
                continue
            while root[j] != j:
                root[j] = root[root[j]]
                j = root[j]
            if j != i:
                parent[j] = i
                root[j] = i
    # From the root down: let every pixel point to the one that stands for its node, and number the nodes.
    node_of = np.full(n, -1, np.int32)
    n_nodes = 0
    for k in range(n - 1, -1, -1):
        i = order[k]
        q = parent[i]
        if flat[parent[q]] == flat[q]:
            q = parent[q]
            parent[i] = q
        if q == i or flat[q] != flat[i]:
            node_of[i] = n_nodes
            n_nodes += 1
        else:
            node_of[i] = node_of[q]
    node_parent = np.zeros(n_nodes, np.int32)
    node_level = np.zeros(n_nodes, np.int32)
    moments = np.zeros((n_nodes, 6))
    for i in range(n):
        node = node_of[i]
        q = parent[i]
        if q == i or flat[q] != flat[i]:
            node_parent[node] = node_of[q]
            node_level[node] = flat[i]
        y, x = float(i // n_columns), float(i % n_columns)
        moments[node, 0] += 1
        moments[node, 1] += y
        moments[node, 2] += x
        moments[node, 3] += y * y
        moments[node, 4] += x * x
        moments[node, 5] += x * y
    for node in range(n_nodes - 1, 0, -1):
        for m in range(6):
            moments[node_parent[node], m] += moments[node, m]
    return node_parent, node_level, moments, node_of


@njit(cache=True)
def relative_growth(parent, level, area, delta, min_area):
    """Area gained from `delta` levels above a node's lowest threshold to `delta` below, over its own area.

    Parts of at least `min_area` that join on the way down do not count: a neighbour that touches is no sign
    of instability. Upwards the largest part is followed, and one that is gone counts 0. The root has
    infinite growth: no edge bounds it.
    """
    n = len(parent)
    largest = np.full(n, -1, np.int32)
    joined = np.zeros(n)  # area of a node's children that count as neighbours of each other
    for node in range(1, n):
        p = parent[node]
        if largest[p] < 0 or area[node] > area[largest[p]]:
            largest[p] = node
        if area[node] >= min_area:
            joined[p] += area[node]
    growth = np.full(n, np.inf)
    for node in range(1, n):
        threshold = level[parent[node]] + 1
        outer = node
        gained = 0.0
        while outer != 0 and level[parent[outer]] >= threshold - delta:
            p = parent[outer]
            neighbours = joined[p] - (area[outer] if area[outer] >= min_area else 0.0)
            gained += area[p] - area[outer] - neighbours
            outer = p
        inner = node
        while inner >= 0 and level[inner] < threshold + delta:
            inner = largest[inner]
        inner_area = area[inner] if inner >= 0 else 0.0
        growth[node] = (gained + area[node] - inner_area) / area[node]
    return growth


@njit(cache=True)
def best_disjoint(parent, value):
    """Choose nodes, none inside another, with the largest sum of `value` (those of 0 or less are never
    chosen)."""
    n = len(parent)
    children = np.zeros(n)
    best = np.zeros(n)
    for node in range(n - 1, -1, -1):
        best[node] = max(value[node], children[node], 0.0)
        if node:
            children[parent[node]] += best[node]
    chosen = np.zeros(n, np.bool_)
    covered = np.zeros(n, np.bool_)
    for node in range(n):
        if node and (covered[parent[node]] or chosen[parent[node]]):
            covered[node] = True
        elif value[node] > 0 and value[node] >= children[node]:
            chosen[node] = True
    return chosen


@njit(cache=True)
def number_disjoint(parent, chosen):
    """Number the chosen nodes 1..N; a part of one gets its number, anything else 0."""
    number = np.zeros(len(parent), np.int32)
    n = 0
    for node in range(len(parent)):
        if chosen[node]:
            n += 1
            number[node] = n
        elif node:
            number[node] = number[parent[node]]
    return number
