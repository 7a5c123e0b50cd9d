"""What can be measured in an unlabelled image of cells: the statistics that calibration matches.

Nothing here need be unbiased: the same measurement is applied to real and to simulated images, and the
simulation is changed until both agree. It need only respond to the parameter that it is paired with.
"""

import itertools
from dataclasses import dataclass, fields, replace

import numpy as np
from jaxtyping import Float
from scipy import ndimage

from ..core.grid import Grid
from ..core.types import Labels, Mask, Plane
from ..segment.base import registry as segmenters
from ._noise import photon_transfer
from ._polarity import Polarity

STATISTICS = {
    "density": ("cells per million pixels", "count of segmented cells over the area"),
    "radius": ("px", "median radius of the circle of equal area"),
    "radius_spread": ("", "robust standard deviation of the logarithm of the radius"),
    "axis_ratio": ("", "median of minor over major axis"),
    "roughness": ("", "median share of the convex hull that a cell leaves empty"),
    "contrast": ("grey levels", "median brightness of cells above their surroundings"),
    "contrast_spread": ("", "robust standard deviation of the logarithm of the contrast"),
    "texture": ("", "median coefficient of variation inside of cells, after their smooth profile"),
    "texture_scale": ("px", "correlation length of that variation"),
    "dome": ("", "median brightness of the rim over the core of cells"),
    "edge": ("px", "width of the edges of cells: contrast over steepest slope"),
    "background": ("grey levels", "typical value between cells"),
    "gradient": ("", "slow variation of the background, relative to the cells"),
    "haze": ("", "excess of the background near cells over that far away, relative to the cells"),
    "clutter": ("", "what one place in a hundred of the background exceeds, relative to the cells"),
    "touching": ("", "share of cells with a neighbour within two pixels"),
    "contact": ("", "median length of the border between touching cells over the diameter of the smaller"),
    "blurred": ("", "share of cells whose edges are 1.6 times as wide as those of the median cell"),
    "patchiness": ("", "variance over mean of the number of cells in squares of four diameters"),
    "gain": ("grey levels", "slope of noise variance over signal"),
    "noise_floor": ("grey levels", "standard deviation of the noise in the background"),
    "noise_correlation": ("", "correlation of the noise between neighbouring pixels"),
}
"""Every statistic: its unit and what it is. Lengths are in pixels."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What one image shows; lengths in pixels, brightness in grey levels."""

    name: str

    statistics: dict[str, float]
    """Keys of `STATISTICS`; NaN where the image has too few cells to say."""

    radius: Float[np.ndarray, " n"]
    """Per cell that the border does not cut and that does not look like several in one."""

    contrast: Float[np.ndarray, " n"]
    """Of the same cells."""

    quantiles: Float[np.ndarray, " q"]
    """Grey levels at the shares `QUANTILES` of the pixels."""

    spectrum: Float[np.ndarray, " f"]
    """Power, summing to 1, in rings of equal width from frequency 0 to 0.5 per pixel."""


QUANTILES = np.r_[0.001, 0.01, np.linspace(0.05, 0.95, 19), 0.99, 0.999]
N_RINGS = 48


def measure(name: str, plane: Plane, diameter_px: float, polarity: Polarity = "bright") -> Measured:
    """Measure one image.

    Parameters
    ----------
    plane : (Y, X) float32
        Grey levels.
    diameter_px
        Typical diameter of a cell, which sets the scale of the segmentation.
    polarity
        Where cells are dark, what is said of cells is measured in the mirrored image; noise, level of the
        background and quantiles belong to the image as it is.
    """
    noise = photon_transfer(plane)
    quantiles = np.quantile(plane, QUANTILES)
    top = float(plane.max())
    if polarity == "dark":
        plane = top - plane
    grid = Grid(shape_px=(plane.shape[0], plane.shape[1]), is_scale_known=False)
    segmenter = segmenters.get("local_threshold").parse({"diameter_um": diameter_px})
    found = segmenter.build(grid)((plane / np.float32(max(top, 1.0)))[None])
    labels, cells = _cells_among(plane, found, diameter_px)
    n = int(labels.max())
    statistics = dict.fromkeys(STATISTICS, float("nan"))
    statistics["density"] = n / plane.size * 1e6
    statistics |= {
        "gain": noise.gain,
        "noise_floor": noise.floor_counts,
        "noise_correlation": noise.correlation,
    }
    ground = _background(plane, labels, diameter_px)
    statistics["background"] = ground.level if polarity == "bright" else top - ground.level
    if len(cells.radius) >= 3:
        statistics |= _of_cells(cells)
        typical = statistics["contrast"]
        statistics["gradient"] = ground.variation / typical
        statistics["haze"] = ground.excess_near / typical
        statistics["clutter"] = ground.highest / typical
        statistics |= _of_arrangement(labels, cells, diameter_px)
    single = cells.emptiness < MERGED
    return Measured(
        name, statistics, cells.radius[single], cells.contrast[single], quantiles, radial_spectrum(plane)
    )


def radial_spectrum(plane: Plane) -> Float[np.ndarray, " f"]:
    """Share of the variance in rings of spatial frequency, 0 to 0.5 per pixel; a Hann window hides the border."""
    window = np.hanning(plane.shape[0])[:, None] * np.hanning(plane.shape[1])[None]
    power = np.abs(np.fft.rfft2((plane - plane.mean()) * window)) ** 2
    power[:, 1:-1] *= 2  # the half that a real transform leaves out
    frequency = np.hypot(np.fft.fftfreq(plane.shape[0])[:, None], np.fft.rfftfreq(plane.shape[1])[None, :])
    ring = np.minimum((frequency * 2 * N_RINGS).astype(int), N_RINGS)
    total = np.bincount(ring.ravel(), power.ravel(), N_RINGS + 1)[:N_RINGS]
    return total / max(total.sum(), 1e-30)


FAINTEST_CELL = 0.35
"""Contrast, relative to the median, below which an object is taken for debris. On fluorescence images of DSB2018 one in
four of the fainter objects is a cell by its human labels, and nine in ten of the brighter ones are."""

FAINTEST_SMALL_CELL = 0.5
"""The same for objects of less than a quarter of the typical area."""

_SMALL_AREA = 0.25

MERGED = 0.12
"""Share of its convex hull from which an object leaves empty what several cells in one would leave."""


def _cells_among(plane: Plane, found: Labels, diameter_px: float) -> tuple[Labels, "_Cells"]:
    """Leave out what is too faint to be a cell; the labels that remain are numbered without gaps."""
    cells = _Cells.of(plane, found)
    size = (2 * cells.radius / diameter_px) ** 2
    large = size > _SMALL_AREA
    if large.sum() < 3:
        return found, cells.take(large)
    typical = float(np.median(cells.contrast[large]))
    least = np.where(large, FAINTEST_CELL, FAINTEST_SMALL_CELL) * typical
    is_cell = cells.contrast >= least
    number = np.ones(int(found.max()) + 1, found.dtype)
    number[0] = 0
    number[cells.ids[~is_cell]] = 0
    number = np.where(number > 0, np.cumsum(number), 0).astype(found.dtype)
    kept = cells.take(is_cell)
    return number[found], replace(kept, ids=number[kept.ids])


@dataclass(frozen=True, eq=False)
class _Cells:
    """Arrays over the cells of an image that its border does not cut."""

    ids: np.ndarray
    radius: np.ndarray
    axis_ratio: np.ndarray
    emptiness: np.ndarray
    contrast: np.ndarray
    texture: np.ndarray
    texture_scale: np.ndarray
    dome: np.ndarray
    edge: np.ndarray

    @classmethod
    def of(cls, plane: Plane, labels: Labels) -> "_Cells":
        n = int(labels.max())
        at_border = np.zeros(n + 1, bool)
        for side in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            at_border[side] = True
        is_whole = ~at_border[1:]
        rows = [
            _one_cell(plane, labels, i + 1, window)
            for i, window in enumerate(ndimage.find_objects(labels))
            if window is not None and is_whole[i]
        ]
        table = np.array([row for row in rows if row is not None]).reshape(-1, 9)
        return cls(table[:, 0].astype(int), *table[:, 1:].T)

    def take(self, chosen: np.ndarray) -> "_Cells":
        """The cells at which a mask is true."""
        return _Cells(*(getattr(self, f.name)[chosen] for f in fields(self)))


def _one_cell(plane: Plane, labels: Labels, label: int, window: tuple[slice, ...]) -> tuple | None:
    """Numbers of one cell, or None where it is too small or not brighter than its surroundings."""
    margin = 4
    window = tuple(
        slice(max(s.start - margin, 0), min(s.stop + margin, n))
        for s, n in zip(window, plane.shape, strict=True)
    )
    inside = labels[window] == label
    values = plane[window]
    area = int(inside.sum())
    if area < 12:
        return None
    depth = ndimage.distance_transform_edt(inside)
    ring = (ndimage.distance_transform_edt(~inside) >= 2) & (labels[window] == 0)
    around = float(np.median(values[ring])) if ring.sum() >= 5 else float(values[~inside].min())
    contrast = float(values[inside].mean()) - around
    if contrast <= 0:
        return None
    y, x = np.nonzero(inside)
    covariance = np.cov(np.stack([y, x])) + np.eye(2) / 12
    small, large = np.sqrt(np.linalg.eigvalsh(covariance))
    core, rim = depth > 0.6 * depth.max(), inside & (depth > 1.5) & (depth < 0.4 * depth.max() + 1.5)
    dome = (values[rim].mean() - around) / (values[core].mean() - around + 1e-9) if rim.any() else np.nan
    radius = float(np.sqrt(area / np.pi))
    texture, scale = _texture(values, inside & (depth > min(2.0, 0.4 * depth.max())), contrast, radius)
    return (
        label,
        radius,
        small / large,
        1 - area / _hull_area(y, x),
        contrast,
        texture,
        scale,
        dome,
        _edge_width(values, inside, depth, contrast),
    )


def _texture(values: Plane, inner: Mask, contrast: float, radius: float) -> tuple[float, float]:
    """Relative standard deviation inside of a cell after a quadratic profile, and its correlation length.

    Where cells are large, pixels are averaged first so that noise does not hide the texture.
    """
    if inner.sum() < 20:
        return float("nan"), float("nan")
    values = ndimage.uniform_filter(values, 1 + 2 * round(radius / 12))
    y, x = np.nonzero(inner)
    y0, x0 = y - y.mean(), x - x.mean()
    terms = np.stack([np.ones_like(y0), y0, x0, y0 * y0, x0 * x0, x0 * y0], axis=1)
    v = values[inner].astype(float)
    residual = np.zeros(values.shape)
    residual[inner] = v - terms @ np.linalg.lstsq(terms, v, rcond=None)[0]
    variance = float((residual[inner] ** 2).mean())
    # Correlation length from the mean squared difference at a distance d: 1 - rho = d^2 / (2 l^2).
    d = max(2, round(radius / 5))
    both = inner[d:] & inner[:-d]
    step = residual[d:][both] - residual[:-d][both]
    lost = min(max(float((step**2).mean()) / (2 * variance + 1e-12), 1e-3), 1.0) if both.any() else 1.0
    return np.sqrt(variance) / contrast, d / np.sqrt(2 * lost)


def _edge_width(values: Plane, inside: Mask, depth: np.ndarray, contrast: float) -> float:
    """Contrast over the slope at the outline: of a step blurred by sigma it is sigma times sqrt(2 pi)."""
    outline = inside & (depth < 1.5)
    dy, dx = np.gradient(values.astype(np.float32))
    slope = np.hypot(dy, dx)
    steepest = ndimage.maximum_filter(slope, size=3)[outline]
    return contrast / max(float(np.median(steepest)), 1e-9)


def _hull_area(y: np.ndarray, x: np.ndarray) -> float:
    """Pixels of the convex hull of a set of pixels (their corners, so a full hull equals the area)."""
    points = np.unique(np.stack([y, x], axis=1), axis=0)
    corners = np.concatenate([points + d for d in ((0, 0), (0, 1), (1, 0), (1, 1))])
    from scipy.spatial import ConvexHull

    return float(ConvexHull(corners).volume)


def _of_cells(cells: _Cells) -> dict[str, float]:
    return {
        "radius": float(np.median(cells.radius)),
        "radius_spread": _spread(np.log(cells.radius)),
        "axis_ratio": float(np.median(cells.axis_ratio)),
        "roughness": float(np.median(cells.emptiness)),
        "contrast": float(np.median(cells.contrast)),
        "contrast_spread": _spread(np.log(cells.contrast)),
        "texture": _median(cells.texture),
        "texture_scale": _median(cells.texture_scale),
        "dome": _median(cells.dome),
        "edge": _median(cells.edge),
        "blurred": float(np.mean(cells.edge > 1.6 * _median(cells.edge))),
    }


def _of_arrangement(labels: Labels, cells: _Cells, diameter_px: float) -> dict[str, float]:
    """Contact and crowding."""
    size = 5
    highest = ndimage.maximum_filter(labels, size)
    lowest = -ndimage.maximum_filter(np.where(labels > 0, -labels, -np.iinfo(np.int32).max), size)
    meets = (labels > 0) & ((highest != labels) | (lowest != labels))
    touching = np.unique(labels[meets]).size / max(int(labels.max()), 1)
    centres = np.array(ndimage.center_of_mass(labels > 0, labels, np.arange(1, labels.max() + 1)))
    side = 4 * diameter_px
    bins = [max(int(n / side), 1) for n in labels.shape]
    counts = np.histogram2d(centres[:, 0], centres[:, 1], bins=bins, range=[[0, n] for n in labels.shape])[0]
    index = counts.var(ddof=1) / counts.mean() if counts.size >= 4 else np.nan
    return {"touching": touching, "patchiness": float(index), "contact": _contact(labels)}


def _contact(labels: Labels) -> float:
    """Median border length over the diameter of the smaller cell, over pairs of cells that share a border."""
    pairs = []
    for a, b in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        meets = (a != b) & (a > 0) & (b > 0)
        pairs.append(np.sort(np.stack([a[meets], b[meets]], axis=1), axis=1))
    found, lengths = np.unique(np.concatenate(pairs), axis=0, return_counts=True)
    if len(found) == 0:
        return float("nan")
    radius = np.sqrt(np.bincount(labels.ravel()) / np.pi)
    # Pixel edges along both axes overstate the length of a slanted line by 4 / pi on average.
    return float(np.median(lengths * np.pi / 4 / (2 * radius[found].min(axis=1))))


@dataclass(frozen=True)
class _Ground:
    level: float
    variation: float
    excess_near: float
    highest: float


def _background(plane: Plane, labels: Labels, diameter_px: float) -> _Ground:
    """Level, slow variation, and excess near cells, from what is not cell."""
    distance = ndimage.distance_transform_edt(labels == 0)
    near = (distance > 3) & (distance < 3 + 0.5 * diameter_px)
    far = distance > 3 + 0.5 * diameter_px
    if far.sum() < 0.02 * plane.size:
        far = distance > max(float(np.quantile(distance, 0.9)), 1.0)
    level = _middle(plane[far]) if far.any() else float(np.quantile(plane, 0.02))
    excess = _middle(plane[near]) - level if near.sum() > 50 else 0.0
    blocks = [_middle(plane[box][far[box]]) for box in _boxes(plane.shape, 4) if far[box].sum() > 30]
    variation = float(np.std(blocks)) if len(blocks) >= 4 else 0.0
    smooth = ndimage.gaussian_filter(plane, 0.1 * diameter_px)
    highest = float(np.quantile(smooth[far], 0.99)) - level if far.any() else 0.0
    return _Ground(level, variation, max(excess, 0.0), max(highest, 0.0))


def _boxes(shape: tuple[int, ...], n: int) -> list[tuple[slice, slice]]:
    ys, xs = (np.linspace(0, s, n + 1).astype(int) for s in shape)
    return [(slice(a, b), slice(c, d)) for a, b in itertools.pairwise(ys) for c, d in itertools.pairwise(xs)]


def _spread(values: np.ndarray) -> float:
    """Robust standard deviation: half the range of the middle 68 %."""
    low, high = np.quantile(values, [0.16, 0.84])
    return float(high - low) / 2


def _middle(values: np.ndarray) -> float:
    """Mean of the middle half: as robust as is needed here, and finer than the steps of the grey levels."""
    low, high = np.quantile(values, [0.25, 0.75])
    return float(values[(values >= low) & (values <= high)].mean())


def _median(values: np.ndarray) -> float:
    """Median of what is defined; NaN where nothing is."""
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else float("nan")
