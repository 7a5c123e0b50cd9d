"""Calibration on images whose truth is known: do the intervals hold the parameters that made them?"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks._claim import Claim
from cellsynth.calibrate.fit import calibrate
from cellsynth.calibrate.parameters import Values
from cellsynth.calibrate.to_recipe import Population, recipe_values
from cellsynth.core.config import with_overrides
from cellsynth.core.grid import Grid
from cellsynth.core.parallel import WorkerPool, worker_pool
from cellsynth.data.dataset import DatasetWriter, write_sample
from cellsynth.data.image_set import ImageSet
from cellsynth.recipe import Recipe, make_sample

NEEDS: tuple[str, ...] = ()

N_TRIALS = 20
N_IMAGES = 10

CHECKED = ("density", "radius", "axis_ratio", "intensity_spread", "photons", "background", "blur", "texture")
"""Parameters that a user reads; their truth is drawn anew in every trial."""


def claims(data: Path) -> Iterator[Claim]:
    hits: dict[str, list[bool]] = {name: [] for name in CHECKED}
    errors: dict[str, list[float]] = {name: [] for name in CHECKED}
    with worker_pool() as pool:
        for trial in range(N_TRIALS):
            truth = _draw_truth(np.random.default_rng(trial))
            with tempfile.TemporaryDirectory() as folder:
                images = _images(truth, trial, Path(folder) / "pseudo_real", pool)
                fitted = {p.name: p.interval for p in calibrate(images, seed=trial, pool=pool).parameters}
            for name in CHECKED:
                interval, true = fitted[name], _in_table(truth, name)
                hits[name].append(interval.low <= true <= interval.high)
                errors[name].append((interval.value - true) / true)
    everything = [hit for name in CHECKED for hit in hits[name]]
    yield Claim(
        f"calibration: share of nominal 95 % intervals that hold the truth, {len(CHECKED)} parameters in {N_TRIALS} "
        f"simulated sets of {N_IMAGES} images",
        value=float(np.mean(everything)),
        target=0.9,
    )
    for name in CHECKED:
        low, high = np.quantile(errors[name], [0.16, 0.84])
        yield Claim(f"calibration: the same share for {name}", value=float(np.mean(hits[name])))
        yield Claim(
            f"calibration: median relative error of {name}, with the middle 68 % of the sets",
            value=float(np.median(errors[name])),
            interval=(float(low), float(high)),
        )


def _draw_truth(rng: np.random.Generator) -> Values:
    """Parameters of one kind of image: pixels and grey levels of an 8-bit camera."""
    contrast = rng.uniform(25, 90)
    return {
        "density": rng.uniform(200, 800),
        "radius": rng.uniform(7, 13),
        "radius_spread": rng.uniform(0.08, 0.2),
        "axis_ratio": rng.uniform(0.65, 0.85),
        "irregularity": 0.06,
        "touching": rng.uniform(0.0, 0.3),
        "overlap": 0.15,
        "out_of_focus": 0.0,
        "patchiness": 0.5,
        "intensity_spread": rng.uniform(0.1, 0.35),
        "photons": contrast,
        "texture": rng.uniform(0.1, 0.3),
        "texture_scale": 4.0,
        "dome": 0.5,
        "blur": rng.uniform(0.8, 2.0),
        "background": rng.uniform(6, 20),
        "gradient": 0.02,
        "haze": 0.05,
        "clutter": 0.03,
        "gain": rng.uniform(0.02, 0.2),
        "read_noise": rng.uniform(0.4, 1.5),
        "noise_blur": 0.0,
    }


def _in_table(truth: Values, name: str) -> float:
    """Truth in the unit of the table of parameters, where light is in photons."""
    return truth[name] / truth["gain"] if name in ("photons", "background") else truth[name]


def _images(truth: Values, seed: int, folder: Path, pool: WorkerPool) -> ImageSet:
    grid = Grid(shape_px=(320, 320), is_scale_known=False)
    values = recipe_values(truth, Population(None, None, 0.0), grid, "bright", 8)
    base = {
        "name": "pseudo_real",
        "seed": 10_000 + seed,
        "n_samples": N_IMAGES,
        "grid": grid.to_dict(),
        "labels": {"kind": "ellipsoids", "n_cells": None},
        "render": {"kind": "microscope", "psf": {"na": None}, "camera": {"quantum_efficiency": 1.0}},
    }
    recipe = Recipe.parse(with_overrides(base, values))
    writer = DatasetWriter.open(folder, recipe.to_dict())
    for sample in (make_sample(recipe, i) for i in recipe.sample_indices()):
        write_sample(folder, sample)
    return writer.finish(recipe.sample_names())
