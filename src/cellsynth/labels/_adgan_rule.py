"""The placement rule of AD-GAN's mask synthesis, as published."""

import numpy as np

from ..core.grid import Grid

MAX_REJECTIONS = 100


def place_by_rejection(
    grid: Grid,
    n_range: tuple[int, int],
    radius_um: tuple[float, float],
    eccentricity: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place ellipses (ellipsoids) by rejection of any that overlaps what is there [1]_.

    A target count is drawn uniformly; centres are voxels of the grid, so the border may cut an ellipse; the
    semi-major axis `a` and the eccentricity `e` are uniform, the semi-minor axis is `sqrt(1 - e^2) a`, and
    both are rounded down to whole voxels; the rule stops after more than 100 rejections in a row. Ellipses may
    be adjacent. In 3D each minor axis has its own eccentricity and the rotation is uniform, which the
    paper's supplement describes without formulas.

    Returns
    -------
    centre_um, semi_axes_um, rotation : (n, d), (n, d) with the major axis last, (n, d, d)

    References
    ----------
    .. [1] K. Yao et al., "AD-GAN: End-to-end unsupervised nuclei segmentation with aligned disentangling
       training", arXiv:2107.11022 (2021), mask synthesis.
    """
    ndim, voxel_um = grid.ndim, np.asarray(grid.voxel_um)
    unit = float(voxel_um.min())
    occupied = np.zeros(grid.shape_px, bool)
    target = rng.uniform(*n_range) if n_range[1] > n_range[0] else n_range[0]
    centres, axes, rotations = [], [], []
    n_rejected = 0
    while len(centres) < target and n_rejected <= MAX_REJECTIONS:
        centre = (rng.integers(0, grid.shape_px) + 0.5) * voxel_um
        major = max(np.floor(rng.uniform(*radius_um) / unit), 1.0)
        e = rng.uniform(*eccentricity, ndim - 1)
        minor = np.maximum(np.floor(np.sqrt(1 - e**2) * major), 1.0)
        semi_axes = np.append(minor, major) * unit
        rotation = _rotation(ndim, rng)
        window, inside = _ellipsoid(centre, semi_axes, rotation, grid)
        if (occupied[window] & inside).any():
            n_rejected += 1
            continue
        n_rejected = 0
        occupied[window] |= inside
        centres.append(centre)
        axes.append(semi_axes)
        rotations.append(rotation)
    return (
        np.array(centres).reshape(-1, ndim),
        np.array(axes).reshape(-1, ndim),
        np.array(rotations).reshape(-1, ndim, ndim),
    )


def _rotation(ndim: int, rng: np.random.Generator) -> np.ndarray:
    if ndim == 2:
        angle = np.deg2rad(rng.integers(0, 360))
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    q, r = np.linalg.qr(rng.standard_normal((3, 3)))
    q *= np.sign(np.diag(r))
    q[:, 0] *= np.sign(np.linalg.det(q))
    return q


def _ellipsoid(
    centre: np.ndarray, axes: np.ndarray, rotation: np.ndarray, grid: Grid
) -> tuple[tuple[slice, ...], np.ndarray]:
    """Window of the grid that holds an ellipsoid, and which of its voxels lie inside."""
    voxel_um = np.asarray(grid.voxel_um)
    half = np.sqrt(((rotation * axes) ** 2).sum(axis=1))
    low = np.maximum(np.floor((centre - half) / voxel_um), 0).astype(int)
    high = np.minimum(np.ceil((centre + half) / voxel_um), grid.shape_px).astype(int)
    window = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    axis_um = [(np.arange(a, b) + 0.5) * v for a, b, v in zip(low, high, voxel_um, strict=True)]
    offset = np.stack(np.meshgrid(*axis_um, indexing="ij"), axis=-1) - centre
    return window, (((offset @ rotation) / axes) ** 2).sum(axis=-1) < 1.0
