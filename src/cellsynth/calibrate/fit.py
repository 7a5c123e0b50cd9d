"""Calibration: from unlabelled images to a recipe whose images have the same statistics."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import isnan
from typing import Any, TypeVar

import numpy as np

from ..core.errors import InputError
from ..core.grid import Grid
from ..core.parallel import WorkerPool
from ..core.rng import Key
from ..data.image_set import Entry, ImageSet
from ..evaluate.statistics.intervals import Interval, bootstrap_interval
from ..recipe import Condition, Recipe
from ._conditions import Group, choose_conditions
from ._polarity import Polarity
from .condition import ConditionJob, fit_condition, measure_synthetic, median_of
from .first_look import Look, first_look, grey_levels, looked_again, overall_diameter_px, polarity_of
from .measure import STATISTICS, Measured, measure
from .parameters import PARAMETERS, Values, first_guess
from .to_recipe import population_of

T = TypeVar("T")
Report = Callable[[str, int, int], None]
Window = tuple[slice, ...]

LARGEST_PX = 512
"""Synthetic images are not larger than this along an axis: larger ones teach a segmenter nothing more."""

_CHECK_FROM = 1_000_000
"""Samples that check a recipe have indices of their own."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """The fitted recipe and what it rests on."""

    recipe: Recipe

    parameters: tuple["FittedParameter", ...]

    polarity: Polarity

    diameter_um: float
    """Typical diameter of a cell; in pixels where the scale is not known."""

    real: tuple[Measured, ...]
    """Every image, in the order of the set (tiles of it, where there was one image)."""

    synthetic: tuple[Measured, ...]
    """Images of the fitted recipe, measured in the same way, with random numbers that the fit did not use."""

    notes: tuple[str, ...]
    """What a reader should know: assumptions, images left out."""


@dataclass(frozen=True)
class FittedParameter:
    """One parameter over the set: the median of the images, with its interval."""

    name: str
    label: str
    unit: str
    interval: Interval
    spread: float
    """Robust standard deviation between images."""


def calibrate(
    images: ImageSet,
    *,
    name: str = "synthetic",
    seed: int = 0,
    n_samples: int = 20,
    max_fits: int = 12,
    max_conditions: int = 36,
    polarity: Polarity | None = None,
    pool: WorkerPool | None = None,
    progress: Report = lambda what, done, total: None,
) -> Calibration:
    """Fit a recipe to unlabelled images by indirect inference [1]_.

    Every image is measured (`measure`), and images that look alike form a group. For the image in the middle of
    each group, parameters start from the measured values and are corrected until images simulated with them
    measure the same. The correction that it needed is applied to all images of the group. The median of the
    images is reported with a bootstrap interval over images, and the recipe holds the parameters of images
    that together resemble all of them, each as a condition.

    Parameters
    ----------
    max_fits
        Groups of images that look alike; the parameters are fitted to one image of each.
    max_conditions
        Images that the recipe has a condition for, with the correction that the fit of their group found.
    polarity
        Whether cells are bright or dark; found from the images by default.
    progress
        Called with (stage, done, total).

    Raises
    ------
    InputError
        If no image shows anything that could be a cell.

    References
    ----------
    .. [1] C. Gourieroux, A. Monfort, E. Renault, "Indirect inference", J. Appl. Econometrics 8 (1993) S85-S118.
    """
    pool = pool or WorkerPool(1)
    looks = list(
        _tracked(pool.map(partial(first_look, polarity), images.entries), "look", len(images), progress)
    )
    decided: Polarity = polarity or polarity_of(looks)
    looks = looked_again(looks, images, decided, pool)
    works = _units(images, looks, decided)
    real = list(_tracked(pool.map(_measure_real, works), "measure", len(works), progress))
    _require_cells(images, real)

    filled = _fill_missing([m.statistics for m in real])
    grids = [_synthetic_grid(work.entry.grid) for work in works]
    shapes = [grid.shape_px for grid in grids]
    groups = choose_conditions(filled, shapes, max_fits)
    bit_depth = max(look.bits for look in looks)
    jobs = [
        ConditionJob(
            target=filled[group.medoid],
            population=population_of(
                [real[i].radius for i in group.members], [real[i].contrast for i in group.members]
            ),
            grid=grids[group.medoid],
            polarity=decided,
            bit_depth=bit_depth,
            seed=seed,
            index=i,
        )
        for i, group in enumerate(groups)
    ]
    fits = list(_tracked(pool.map(fit_condition, jobs), "fit", len(jobs), progress))
    per_image = _values_per_image(filled, groups, fits)
    fit_of = {i: job for group, job in zip(groups, jobs, strict=True) for i in group.members}
    kinds = [
        _Kind(
            image=kind.medoid,
            name=real[kind.medoid].name,
            n_images=len(kind.members),
            values=per_image[kind.medoid],
            job=replace(fit_of[kind.medoid], grid=grids[kind.medoid]),
        )
        for kind in choose_conditions(filled, shapes, max_conditions)
    ]
    recipe = _recipe(name, n_samples, kinds)

    check = recipe.model_copy(update={"n_samples": min(max(len(kinds), 8), 24), "first_sample": _CHECK_FROM})
    diameter_px = {c.name: 2 * k.values["radius"] for c, k in zip(recipe.conditions, kinds, strict=True)}
    remeasure = partial(measure_synthetic, check, decided, diameter_px)
    synthetic = list(
        _tracked(pool.map(remeasure, list(check.sample_indices())), "check", check.n_samples, progress)
    )
    parameters = _table(per_image, grids, Key.from_seed(seed).child("calibrate", "bootstrap"))
    radius = next(p for p in parameters if p.name == "radius").interval.value
    notes = _notes(images, real)
    return Calibration(recipe, parameters, decided, 2 * radius, tuple(real), tuple(synthetic), notes)


@dataclass(frozen=True)
class _Unit:
    """An image, or a tile of the only one, to be measured."""

    entry: Entry
    window: Window | None
    polarity: Polarity
    diameter_px: float


def _units(images: ImageSet, looks: Sequence[Look], polarity: Polarity) -> list[_Unit]:
    overall = overall_diameter_px(looks, images)
    if len(images) == 1:
        entry = images.entries[0]
        return [_Unit(entry, window, polarity, overall) for window in _tiles(entry, overall)]
    return [
        _Unit(
            entry,
            None,
            polarity,
            # A diameter that is far from all others is a mistake of the first look.
            overall if isnan(look.diameter_px) else min(max(look.diameter_px, overall / 3), 3 * overall),
        )
        for entry, look in zip(images.entries, looks, strict=True)
    ]


def _tiles(entry: Entry, diameter_px: float) -> list[Window | None]:
    """Ninths or quarters of a single image, where tiles still hold several cells."""
    shape = entry.grid.shape_px
    n = next((n for n in (3, 2) if min(shape) / n > 4 * diameter_px), 1)
    if n == 1:
        return [None]
    ys, xs = (np.linspace(0, s, n + 1).astype(int) for s in shape)
    return [(slice(ys[i], ys[i + 1]), slice(xs[j], xs[j + 1])) for i in range(n) for j in range(n)]


def _measure_real(unit: _Unit) -> Measured:
    plane = grey_levels(unit.entry.load())
    if unit.window is not None:
        plane = np.ascontiguousarray(plane[unit.window])
    return measure(unit.entry.name, plane, unit.diameter_px, unit.polarity)


def _require_cells(images: ImageSet, real: Sequence[Measured]) -> None:
    if all(isnan(m.statistics["radius"]) for m in real):
        raise InputError(
            f"{images.source}: no image shows three or more whole cells, so there is nothing to calibrate on; "
            "give images with more cells, or --polarity if cells are darker than their surroundings"
        )


def _notes(images: ImageSet, real: Sequence[Measured]) -> tuple[str, ...]:
    notes = []
    if len(images) == 1 and len(real) > 1:
        notes.append(
            f"There is one image; its {len(real)} tiles stand for images, so intervals tell nothing of the "
            "differences between images."
        )
    elif len(images) == 1:
        notes.append("There is one image, too small to cut into tiles, so no parameter has an interval.")
    n_sparse = sum(isnan(m.statistics["radius"]) for m in real)
    if n_sparse:
        what = "images" if len(images) > 1 else "tiles"
        notes.append(
            f"{n_sparse} of {len(real)} {what} show fewer than three whole cells; they count for the density and the "
            "background only."
        )
    if not images.grid(0).is_scale_known:
        notes.append("No file says its pixel size: a pixel counts as 1 µm, and lengths are in pixels.")
    return tuple(notes)


def _fill_missing(statistics: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Undefined statistics of an image become the median over the images where they are defined."""
    medians = {key: median_of([s[key] for s in statistics]) for key in STATISTICS}
    medians = {key: 0.0 if isnan(value) else value for key, value in medians.items()}
    return [{k: medians[k] if isnan(v) else v for k, v in s.items()} for s in statistics]


def _synthetic_grid(grid: Grid) -> Grid:
    return grid.model_copy(update={"shape_px": tuple(min(n, LARGEST_PX) for n in grid.shape_px)})


def _values_per_image(
    statistics: Sequence[dict[str, float]], groups: Sequence[Group], fits: Sequence[Values]
) -> list[Values]:
    """First guess of every image, changed as the fit changed the first guess of its condition's image."""
    result: list[Values] = [{} for _ in statistics]
    for group, fit in zip(groups, fits, strict=True):
        start = first_guess(statistics[group.medoid])
        for i in group.members:
            guess = first_guess(statistics[i])
            for p in PARAMETERS:
                if p.how == "ratio" and start[p.name] > 0:
                    value = guess[p.name] * fit[p.name] / start[p.name]
                else:
                    value = guess[p.name] + fit[p.name] - start[p.name]
                result[i][p.name] = min(max(value, p.low), p.high)
    return result


@dataclass(frozen=True)
class _Kind:
    """One kind of image of the set: what a condition of the recipe is made from."""

    image: int
    name: str
    n_images: int
    values: Values
    job: ConditionJob


def _recipe(name: str, n_samples: int, kinds: Sequence[_Kind]) -> Recipe:
    """The recipe of the most frequent kind of image, with all kinds listed in it as conditions."""
    names = [kind.name for kind in kinds]
    conditions = [
        Condition(
            name=kind.name if names.count(kind.name) == 1 else f"{kind.name} part {kind.image + 1}",
            weight=float(kind.n_images),
            values=kind.job.values_of(kind.values),
        )
        for kind in kinds
    ]
    common = max(kinds, key=lambda kind: kind.n_images)
    return common.job.recipe(
        common.values, name=name, n_samples=n_samples, conditions=[c.to_dict() for c in conditions]
    )


def _table(per_image: Sequence[Values], grids: Sequence[Grid], key: Key) -> tuple[FittedParameter, ...]:
    """Median over images of every parameter, in physical units where the scale is known."""
    px_um = np.array([float(grid.voxel_um[-1]) for grid in grids])
    is_known = grids[0].is_scale_known
    rows = []
    for p in PARAMETERS:
        values = np.array([v[p.name] for v in per_image])
        unit = p.unit
        if unit == "photons":
            values = values / np.array([v["gain"] for v in per_image])
        if is_known and unit == "px" and p.name != "noise_blur":
            values, unit = values * px_um, "um"
        if is_known and unit == "per Mpx":
            values, unit = values / px_um**2, "per mm2"
        interval = bootstrap_interval(values, _median, method="percentile", key=key.child(p.name))
        interval = _widened(interval, p.systematic)
        low, high = np.quantile(values, [0.16, 0.84])
        rows.append(FittedParameter(p.name, p.label, unit, interval, float(high - low) / 2))
    return tuple(rows)


def _widened(interval: Interval, systematic: float) -> Interval:
    """Interval with the error that all images share, which a bootstrap over images does not see."""
    shared = 1.96 * systematic * abs(interval.value)
    return replace(
        interval,
        low=interval.value - float(np.hypot(interval.value - interval.low, shared)),
        high=interval.value + float(np.hypot(interval.high - interval.value, shared)),
    )


def _median(values: np.ndarray) -> Any:
    return np.median(values, axis=-1)


def _tracked(items: Iterable[T], what: str, total: int, progress: Report) -> Iterator[T]:
    for i, item in enumerate(items):
        progress(what, i + 1, total)
        yield item
