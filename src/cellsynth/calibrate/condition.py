"""One condition: parameters whose simulations measure like a real image."""

import logging
from dataclasses import dataclass
from math import ceil, isnan, sqrt
from typing import Any

import numpy as np

from ..core.config import with_overrides
from ..core.grid import Grid
from ..recipe import Recipe, make_sample
from ._polarity import Polarity
from .first_look import grey_levels
from .measure import STATISTICS, Measured, measure
from .parameters import PARAMETERS, Corrector, Values, first_guess
from .to_recipe import Population, recipe_values

_log = logging.getLogger(__name__)

N_ROUNDS = 8
"""Corrections per condition; the last ones change little."""

N_AVERAGED = 3
"""Rounds whose parameters are averaged in the end: statistics are noisy, and each correction follows their noise."""

_FIRST_SAMPLE = 3_000_000
"""Samples of the fit have indices of their own: no image of a later dataset was used to fit."""


@dataclass(frozen=True)
class ConditionJob:
    """What a condition is fitted to."""

    target: dict[str, float]
    """Statistics of the real image that stands for it, all defined."""

    population: Population

    grid: Grid

    polarity: Polarity

    bit_depth: int

    seed: int

    index: int
    """Of the condition."""

    def recipe(self, values: Values, **fields: Any) -> Recipe:
        """Recipe of images with these parameters."""
        data: dict[str, Any] = {
            "seed": self.seed,
            "grid": self.grid.to_dict(),
            "labels": {"kind": "ellipsoids", "n_cells": None},
            "render": {"kind": "microscope", "psf": {"na": None}, "camera": {"quantum_efficiency": 1.0}},
            **fields,
        }
        return Recipe.parse(with_overrides(data, self.values_of(values)))

    def values_of(self, values: Values) -> dict[str, Any]:
        """Dotted recipe values of these parameters."""
        return recipe_values(values, self.population, self.grid, self.polarity, self.bit_depth)


def fit_condition(job: ConditionJob) -> Values:
    """Correct the parameters until simulations with them measure like the image."""
    target = job.target
    values, corrector = first_guess(target), Corrector(target)
    tried: list[tuple[float, Values]] = []
    # Enough cells that the simulated statistics are steadier than the real ones.
    cells = max(target["density"] * job.grid.n_voxels / 1e6, 1.0)
    n_repeats = int(min(max(ceil(80 / cells), 1), 4))
    for _ in range(N_ROUNDS):
        # The same random numbers in every round, so that only the parameters change the result; other numbers for
        # every condition, so that what chance adds to the fits averages out over conditions.
        first = _FIRST_SAMPLE + 10 * job.index
        recipe = job.recipe(values, n_samples=n_repeats, name="fit", first_sample=first)
        measured = [
            measure_synthetic(recipe, job.polarity, {"": 2 * target["radius"]}, i).statistics
            for i in recipe.sample_indices()
        ]
        simulated = {key: median_of([m[key] for m in measured]) for key in STATISTICS}
        tried.append((_misfit(target, simulated), values))
        values = corrector.move(values, simulated)
    least = min(misfit for misfit, _ in tried)
    _log.debug("condition %d: misfits %s", job.index, [round(misfit, 3) for misfit, _ in tried])
    # The last ones are the most corrected, and their mean is steadier than each; rounds that went astray do not count.
    good = [v for misfit, v in tried if misfit <= 1.15 * least][-N_AVERAGED:]
    return {p.name: sum(v[p.name] for v in good) / len(good) for p in PARAMETERS}


def measure_synthetic(
    recipe: Recipe, polarity: Polarity, diameter_px: dict[str, float], index: int
) -> Measured:
    """Make a sample and measure it like a real image; diameters are by the name of the condition."""
    sample = make_sample(recipe, index)
    condition = str(sample.provenance["condition"])
    return measure(sample.name, grey_levels(sample), diameter_px[condition], polarity)


def median_of(values: list[float]) -> float:
    """Median of what is defined; NaN where nothing is."""
    defined = [v for v in values if not isnan(v)]
    return float(np.median(defined)) if defined else float("nan")


def _misfit(target: dict[str, float], simulated: dict[str, float]) -> float:
    """Root mean squared relative difference over the statistics that parameters answer to."""
    total = 0.0
    for p in PARAMETERS:
        a, b = target[p.statistic], simulated[p.statistic]
        if isnan(a) or isnan(b):
            total += 1.0
        else:
            total += min(abs(a - b) / (abs(a) + abs(b) + 0.1), 1.0) ** 2
    return sqrt(total / len(PARAMETERS))
