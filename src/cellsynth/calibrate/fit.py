"""Calibration: from unlabelled images to a recipe whose images have the same statistics."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil, isnan, sqrt
from typing import Any

import numpy as np

from ..core.config import with_overrides
from ..core.errors import InputError
from ..core.grid import Grid
from ..core.parallel import WorkerPool
from ..core.rng import Key
from ..core.types import Plane
from ..data.image_set import Entry, ImageSet
from ..evaluate.statistics.intervals import Interval, bootstrap_interval
from ..recipe import Condition, Recipe, make_sample
from ..segment import typical_diameter_px
from ._conditions import choose_conditions
from ._polarity import Polarity, polarity_evidence
from .measure import STATISTICS, Measured, measure
from .parameters import PARAMETERS, Values, corrected, first_guess
from .to_recipe import Population, population_of, recipe_values

_log = logging.getLogger(__name__)

N_ROUNDS = 6
"""Corrections per condition; the last ones change little."""

LARGEST_PX = 512
"""Synthetic images are not larger than this along an axis: larger ones teach a segmenter nothing more."""


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
    max_conditions: int = 12,
    polarity: Polarity | None = None,
    pool: WorkerPool | None = None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> Calibration:
    """Fit a recipe to unlabelled images by indirect inference [1]_.

    Every image is measured (`measure`); images that look alike share a condition. The parameters of a condition
    start from the measured values and are corrected until images simulated with them measure the same. The
    correction that a condition needed is applied to each of its images, and the median of the images is
    reported with a bootstrap interval over images.

    Parameters
    ----------
    max_conditions
        Kinds of image to tell apart.
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
    notes: list[str] = []
    first = list(
        _tracked(pool.map(partial(_first_look, polarity), images.entries), "look", len(images), progress)
    )
    found_polarity: Polarity = polarity or _polarity_of(first)
    first = _looked_again(first, images, found_polarity, pool)
    top_bits = max(look.bits for look in first)
    diameter = _overall_diameter(first, images)
    entries: Sequence[tuple[Entry, tuple[slice, ...] | None]] = [(entry, None) for entry in images.entries]
    if len(images) == 1:
        entries = _tiles(images.entries[0], diameter)
        notes.append(
            f"There is one image; its {len(entries)} tiles stand for images, so intervals tell nothing of the "
            "differences between images."
            if len(entries) > 1
            else "There is one image, too small to cut into tiles, so no parameter has an interval."
        )
    diameters = {look.name: diameter if isnan(look.diameter_px) else look.diameter_px for look in first}
    work: list[tuple[Entry, tuple[slice, ...] | None, Polarity, float]] = [
        (entry, window, found_polarity, float(np.clip(diameters[entry.name], diameter / 3, diameter * 3)))
        for entry, window in entries
    ]
    real = list(_tracked(pool.map(_measure_real, work), "measure", len(work), progress))
    n_with_cells = sum(not isnan(m.statistics["radius"]) for m in real)
    if n_with_cells == 0:
        raise InputError(
            f"{images.source}: no image shows three or more whole cells, so there is nothing to calibrate on; "
            "give images with more cells, or --polarity if cells are darker than their surroundings"
        )
    if n_with_cells < len(real):
        notes.append(
            f"{len(real) - n_with_cells} of {len(real)} images show fewer than three whole cells; they count for the "
            "density and the background only."
        )
    filled = _fill_missing([m.statistics for m in real])
    shapes = [_shape_of(images, i, entries) for i in range(len(real))]
    groups = choose_conditions(filled, shapes, max_conditions)
    template = _Template(images, found_polarity, top_bits, seed)
    populations = [
        population_of([real[i].radius for i in g.members], [real[i].contrast for i in g.members])
        for g in groups
    ]
    jobs = [
        _Job(template, filled[g.medoid], population, shapes[g.medoid], i)
        for i, (g, population) in enumerate(zip(groups, populations, strict=True))
    ]
    fits = list(_tracked(pool.map(_fit_condition, jobs), "fit", len(jobs), progress))
    per_image = _values_per_image(filled, groups, fits)
    recipe = _recipe(
        template, name, n_samples, [real[g.medoid].name for g in groups], groups, fits, populations, shapes
    )
    grid = images.grid(0)
    if not grid.is_scale_known:
        notes.append("No file says its pixel size: a pixel counts as 1 um, and lengths are in pixels.")
    check = replace_samples(recipe, n_samples=min(max(len(groups), 8), 24), first_sample=1_000_000)
    diameter_px = {c.name: 2 * fit["radius"] for c, fit in zip(recipe.conditions, fits, strict=True)}
    synthetic = list(
        _tracked(
            pool.map(
                partial(_measure_synthetic, check, found_polarity, diameter_px), list(check.sample_indices())
            ),
            "check",
            check.n_samples,
            progress,
        )
    )
    parameters = _table(per_image, recipe, Key.from_seed(seed).child("calibrate", "bootstrap"))
    radius = next(p for p in parameters if p.name == "radius").interval.value
    return Calibration(
        recipe,
        parameters,
        found_polarity,
        2 * radius,
        tuple(real),
        tuple(synthetic),
        tuple(notes),
    )


@dataclass(frozen=True)
class Impression:
    """What a quick look tells of a set."""

    polarity: Polarity
    diameter_um: float
    """Typical diameter of a cell; in pixels where the scale is not known."""


def first_impression(images: ImageSet, pool: WorkerPool, polarity: Polarity | None = None) -> Impression:
    """Find polarity and typical diameter without fitting anything.

    Raises
    ------
    InputError
        If nothing of the size of a cell stands out in any image.
    """
    looks = list(pool.map(partial(_first_look, polarity), images.entries))
    polarity = polarity or _polarity_of(looks)
    diameter_px = _overall_diameter(_looked_again(looks, images, polarity, pool), images)
    return Impression(polarity, diameter_px * _px_um(images.grid(0)))


def _polarity_of(looks: Sequence["_Look"]) -> Polarity:
    return "bright" if np.median([look.evidence for look in looks]) >= 0 else "dark"


def replace_samples(recipe: Recipe, *, n_samples: int, first_sample: int = 0) -> Recipe:
    """The same recipe for other samples."""
    return recipe.model_copy(update={"n_samples": n_samples, "first_sample": first_sample})


@dataclass(frozen=True)
class _Look:
    name: str
    evidence: float
    bits: int
    polarity: Polarity
    """What the image alone speaks for, or what the user said."""
    diameter_px: float
    """Under that polarity; NaN where nothing was found."""


@dataclass(frozen=True)
class _Template:
    """What the recipes of all conditions share."""

    images: ImageSet
    polarity: Polarity
    bit_depth: int
    seed: int

    def recipe(
        self, values: Values, population: Population, shape_px: tuple[int, ...], **fields: Any
    ) -> Recipe:
        grid = self.images.grid(0).model_copy(update={"shape_px": shape_px})
        data: dict[str, Any] = {
            "seed": self.seed,
            "grid": grid.to_dict(),
            "labels": {"kind": "ellipsoids", "n_cells": None},
            "render": {"kind": "microscope", "psf": {"na": None}, "camera": {"quantum_efficiency": 1.0}},
            **fields,
        }
        return Recipe.parse(
            with_overrides(data, recipe_values(values, population, grid, self.polarity, self.bit_depth))
        )


def _counts(plane: Plane, bit_depth: int) -> Plane:
    return plane * np.float32(2**bit_depth - 1)


def _first_look(polarity: Polarity | None, entry: Entry) -> _Look:
    sample = entry.load()
    plane = _counts(sample.image[0], sample.bit_depth)
    bits = next(b for b in (8, 10, 12, 14, 16) if plane.max() < 2**b)
    evidence = polarity_evidence(plane)
    polarity = polarity or ("bright" if evidence >= 0 else "dark")
    diameter = typical_diameter_px(plane if polarity == "bright" else plane.max() - plane)
    return _Look(entry.name, evidence, bits, polarity, diameter)


def _looked_again(
    looks: Sequence[_Look], images: ImageSet, polarity: Polarity, pool: WorkerPool
) -> list[_Look]:
    """Look again at the images that alone would speak for the other polarity."""
    wrong = [i for i, look in enumerate(looks) if look.polarity != polarity]
    again = pool.map(partial(_first_look, polarity), [images.entries[i] for i in wrong])
    result = list(looks)
    for i, look in zip(wrong, again, strict=True):
        result[i] = look
    return result


def _overall_diameter(looks: Sequence[_Look], images: ImageSet) -> float:
    found = np.array([look.diameter_px for look in looks])
    if np.isnan(found).all():
        raise InputError(
            f"{images.source}: nothing of the size of a cell stands out from the background in any image; check "
            "the channel (--channel) and the polarity (--polarity)"
        )
    return float(np.nanmedian(found))


def _tiles(entry: Entry, diameter: float) -> list[tuple[Entry, tuple[slice, ...] | None]]:
    """Quarter (or ninths of) a single image, where tiles still hold several cells."""
    shape = entry.grid.shape_px
    n = next((n for n in (3, 2) if min(shape) / n > 4 * diameter), 1)
    if n == 1:
        return [(entry, None)]
    cuts = [np.linspace(0, s, n + 1).astype(int) for s in shape]
    return [
        (replace(entry, name=entry.name), (slice(a, b), slice(c, d)))
        for a, b in zip(cuts[0], cuts[0][1:], strict=False)
        for c, d in zip(cuts[1], cuts[1][1:], strict=False)
    ]


def _measure_real(work: tuple[Entry, tuple[slice, ...] | None, Polarity, float]) -> Measured:
    entry, window, polarity, diameter = work
    sample = entry.load()
    plane = _counts(sample.image[0], sample.bit_depth)
    if window is not None:
        plane = np.ascontiguousarray(plane[window])
    return measure(entry.name, plane, diameter, polarity)


def _measure_synthetic(
    recipe: Recipe, polarity: Polarity, diameter_px: dict[str, float], index: int
) -> Measured:
    sample = make_sample(recipe, index)
    plane = _counts(sample.image[0], sample.bit_depth)
    condition = str(sample.provenance["condition"])
    return measure(sample.name, plane, diameter_px[condition], polarity)


@dataclass(frozen=True)
class _Job:
    """One condition to fit."""

    template: _Template
    target: dict[str, float]
    population: Population
    shape_px: tuple[int, ...]
    index: int


def _fit_condition(job: _Job) -> Values:
    """Correct the parameters of one condition until its simulations measure like the image."""
    target = job.target
    values = first_guess(target)
    tried: list[tuple[float, Values]] = []
    # Enough cells that the simulated statistics are steadier than the real ones.
    cells = max(target["density"] * float(np.prod(job.shape_px)) / 1e6, 1.0)
    n_repeats = int(min(max(ceil(80 / cells), 1), 4))
    for _ in range(N_ROUNDS):
        # The same random numbers in every round, so that only the parameters change the result; other numbers for
        # every condition, so that what chance adds to the fits averages out over conditions.
        recipe = job.template.recipe(
            values,
            job.population,
            job.shape_px,
            n_samples=n_repeats,
            name="fit",
            first_sample=3_000_000 + 10 * job.index,
        )
        measured = [
            _measure_synthetic(recipe, job.template.polarity, {"": 2 * target["radius"]}, i).statistics
            for i in recipe.sample_indices()
        ]
        simulated = {key: _median([m[key] for m in measured]) for key in STATISTICS}
        tried.append((_misfit(target, simulated), values))
        values = corrected(values, target, simulated)
    least = min(misfit for misfit, _ in tried)
    _log.debug("condition %d: misfits %s", job.index, [round(misfit, 3) for misfit, _ in tried])
    # The last is the most corrected; a round that went astray is not taken.
    return next(v for misfit, v in reversed(tried) if misfit <= 1.15 * least)


def _misfit(target: dict[str, float], simulated: dict[str, float]) -> float:
    """Mean squared relative difference over the statistics that parameters answer to."""
    total = 0.0
    for p in PARAMETERS:
        a, b = target[p.statistic], simulated[p.statistic]
        if isnan(a) or isnan(b):
            total += 1.0
        else:
            total += min(abs(a - b) / (abs(a) + abs(b) + 0.1), 1.0) ** 2
    return sqrt(total / len(PARAMETERS))


def _median(values: list[float]) -> float:
    defined = [v for v in values if not isnan(v)]
    return float(np.median(defined)) if defined else float("nan")


def _fill_missing(statistics: Sequence[dict[str, float]]) -> list[dict[str, float]]:
    """Undefined statistics of an image become the median over the images where they are defined."""
    medians = {key: _median([s[key] for s in statistics]) for key in STATISTICS}
    medians = {key: 0.0 if isnan(value) else value for key, value in medians.items()}
    return [{k: medians[k] if isnan(v) else v for k, v in s.items()} for s in statistics]


def _shape_of(images: ImageSet, i: int, entries: Sequence[tuple[Entry, Any]]) -> tuple[int, ...]:
    shape = images.grid(0 if len(images) == 1 else i).shape_px
    window = entries[i][1]
    if window is not None and len(images) > 1:
        shape = tuple(s.stop - s.start for s in window)
    return tuple(min(n, LARGEST_PX) for n in shape)


def _values_per_image(
    statistics: Sequence[dict[str, float]], groups: Sequence[Any], fits: Sequence[Values]
) -> list[Values]:
    """First guess of every image, changed as the fit changed the first guess of its condition's image."""
    result: list[Values] = [{} for _ in statistics]
    for group, fit in zip(groups, fits, strict=True):
        start = first_guess(statistics[group.medoid])
        for i in group.members:
            guess = first_guess(statistics[i])
            result[i] = {
                p.name: float(
                    np.clip(
                        guess[p.name] * fit[p.name] / start[p.name]
                        if p.how == "ratio" and start[p.name] > 0
                        else guess[p.name] + fit[p.name] - start[p.name],
                        p.low,
                        p.high,
                    )
                )
                for p in PARAMETERS
            }
    return result


def _recipe(
    template: _Template,
    name: str,
    n_samples: int,
    names: Sequence[str],
    groups: Sequence[Any],
    fits: Sequence[Values],
    populations: Sequence[Population],
    shapes: Sequence[tuple[int, ...]],
) -> Recipe:
    """The recipe of the largest condition, with all conditions listed in it."""
    grid = template.images.grid(0)
    conditions = []
    for i, (group, fit) in enumerate(zip(groups, fits, strict=True)):
        shape = shapes[group.medoid]
        here = grid.model_copy(update={"shape_px": shape})
        values = recipe_values(fit, populations[i], here, template.polarity, template.bit_depth)
        label = names[i] if names.count(names[i]) == 1 else f"{names[i]} part {i + 1}"
        conditions.append(Condition(name=label, weight=float(len(group.members)), values=values))
    largest = int(np.argmax([len(g.members) for g in groups]))
    return template.recipe(
        fits[largest],
        populations[largest],
        shapes[groups[largest].medoid],
        name=name,
        n_samples=n_samples,
        conditions=[c.to_dict() for c in conditions],
    )


def _table(per_image: Sequence[Values], recipe: Recipe, key: Key) -> tuple[FittedParameter, ...]:
    grid = recipe.grid
    rows = []
    for p in PARAMETERS:
        values = np.array([v[p.name] for v in per_image])
        unit = p.unit
        if p.name in ("photons", "background"):
            values = values / np.array([v["gain"] for v in per_image])
        if grid.is_scale_known and unit == "px" and p.name != "noise_blur":
            values, unit = values * _px_um(grid), "um"
        if grid.is_scale_known and unit == "per Mpx":
            values, unit = values / _px_um(grid) ** 2, "per mm2"
        interval = bootstrap_interval(values, _median_rows, method="percentile", key=key.child(p.name))
        low, high = np.quantile(values, [0.16, 0.84])
        rows.append(FittedParameter(p.name, p.label, unit, interval, float(high - low) / 2))
    return tuple(rows)


def _median_rows(values: np.ndarray) -> Any:
    return np.median(values, axis=-1)


def _px_um(grid: Grid) -> float:
    return float(grid.voxel_um[-1])


def _tracked(items: Any, what: str, total: int, progress: Callable[[str, int, int], None]) -> Any:
    for i, item in enumerate(items):
        progress(what, i + 1, total)
        yield item
