"""Fit a recipe to a folder of images and write it down."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..calibrate.fit import Calibration
    from ..core.parallel import WorkerPool
    from ..data.image_set import ImageSet
    from ._progress import Progress


def calibrate_images(
    images: Path | str,
    recipe: Path | str,
    overrides: Sequence[str] = (),
    *,
    channel: str | None = None,
    voxel_um: float | None = None,
    polarity: Literal["bright", "dark"] | None = None,
    seed: int = 0,
    n_samples: int = 20,
    workers: int | None = None,
    quiet: bool = False,
) -> "Calibration":
    """Fit a recipe to unlabelled images, with an interval for every parameter.

    Parameters
    ----------
    images
        Folder of 2D images (PNG, TIFF), or one image.
    recipe
        YAML file to write. Beside it comes a folder of the same name with the parameters, the statistics of real
        and synthetic images, and pictures of both.
    overrides
        Changes to the fitted recipe, such as `n_samples=100`.
    channel
        Channel of colour images: red, green, blue, mean, or a number from 0.
    voxel_um
        Pixel size in micrometres, where the files do not say it.
    polarity
        Whether cells are brighter or darker than their surroundings; found from the images by default.
    seed
        Root of all random numbers.
    n_samples
        Images that the recipe will make.
    workers
        Processes or threads; by default one per core. The result does not depend on it.
    quiet
        Show no progress.
    """
    from ..core.errors import OutputExistsError
    from ..core.parallel import worker_pool
    from ..data.source import read_any
    from ..io.yaml import write_yaml
    from ..recipe import overridden
    from ._progress import Progress
    from ._run_folder import made_whole

    path = Path(recipe)
    if path.suffix not in (".yaml", ".yml"):
        path = path.with_name(path.name + ".yaml")
    folder = path.with_suffix("")
    for taken in (path, folder):
        if taken.exists() and not (taken == folder and folder.is_dir() and not any(folder.iterdir())):
            raise OutputExistsError(
                f"{taken}: exists already, and nothing is overwritten; choose another name"
            )
    check_overrides([f"seed={seed}", f"n_samples={n_samples}", *overrides])
    found = read_any(Path(images), channel=channel, voxel_um=voxel_um)
    progress = Progress(is_quiet=quiet)
    with made_whole(folder) as made:
        with worker_pool(workers) as pool:
            calibration = fit_recipe(found, pool, progress, polarity=polarity, seed=seed, n_samples=n_samples)
        final = overridden(calibration.recipe, overrides)
        write_calibration(calibration, made, found)
        _draw(made, found, calibration)
        write_yaml(path, final.to_dict())
    for note in calibration.notes:
        progress.say(f"note: {note}")
    progress.say(f"recipe: {path}, with parameters and pictures in {folder}")
    return calibration


def check_overrides(overrides: Sequence[str]) -> None:
    """Refuse a misspelt override before the work, not after it.

    Raises
    ------
    RecipeError
        If a recipe like those that calibration writes does not take the overrides.
    """
    from ..recipe import Recipe, overridden

    overridden(
        Recipe.parse({"labels": {"kind": "ellipsoids", "n_cells": None, "density_per_mm2": 1.0}}), overrides
    )


N_PAIRS = 12
"""Pairs of a real and a synthetic image that are drawn, of the most frequent conditions."""


def fit_recipe(images: "ImageSet", pool: "WorkerPool", progress: "Progress", **options: Any) -> "Calibration":
    """Calibrate with a progress bar per stage."""
    from ..calibrate.fit import calibrate

    current: list[tuple[str, Any]] = []

    def report(what: str, done: int, total: int) -> None:
        if not current or current[-1][0] != what:
            if current:
                current[-1][1].close()
            current.append((what, progress.stage(f"calibrate: {what}")))
        current[-1][1](done, total)

    try:
        return calibrate(images, pool=pool, progress=report, **options)
    finally:
        if current:
            current[-1][1].close()


def write_calibration(calibration: "Calibration", folder: Path, images: "ImageSet") -> None:
    """Write the tables of a calibration; `calibration.json` comes last, so a folder with it is complete."""
    import numpy as np
    import pandas as pd

    from ..calibrate.measure import QUANTILES, STATISTICS
    from ..io.atomic import make_folder
    from ..io.tables import write_json, write_parquet

    make_folder(folder)
    both = [("real", m) for m in calibration.real] + [("synthetic", m) for m in calibration.synthetic]
    order = [(origin, i, m) for i, (origin, m) in enumerate(both)]
    rows = [(o, m.name, i, key, value) for o, i, m in order for key, value in m.statistics.items()]
    columns = ["origin", "image", "index", "statistic", "value"]
    write_parquet(folder / "statistics.parquet", pd.DataFrame(rows, columns=columns))
    cells = [
        pd.DataFrame({"origin": o, "image": m.name, "radius_px": m.radius, "contrast": m.contrast})
        for o, _, m in order
        if len(m.radius)
    ]
    write_parquet(folder / "cells.parquet", pd.concat(cells, ignore_index=True))
    curves = []
    for o, i, m in order:
        frequency = (np.arange(len(m.spectrum)) + 0.5) / (2 * len(m.spectrum))
        curves.append(
            pd.DataFrame({"origin": o, "index": i, "curve": "spectrum", "x": frequency, "y": m.spectrum})
        )
        curves.append(
            pd.DataFrame({"origin": o, "index": i, "curve": "quantiles", "x": QUANTILES, "y": m.quantiles})
        )
    write_parquet(folder / "curves.parquet", pd.concat(curves, ignore_index=True))
    write_json(
        folder / "calibration.json",
        {
            "polarity": calibration.polarity,
            "diameter_um": calibration.diameter_um,
            "unit": calibration.recipe.grid.unit,
            "notes": list(calibration.notes),
            "n_images": len(images),
            "parameters": [
                {
                    "name": p.name,
                    "label": p.label,
                    "unit": p.unit,
                    "value": p.interval.value,
                    "low": p.interval.low,
                    "high": p.interval.high,
                    "level": p.interval.level,
                    "spread_between_images": p.spread,
                }
                for p in calibration.parameters
            ],
            "statistics": {key: {"unit": unit, "what": what} for key, (unit, what) in STATISTICS.items()},
            "conditions": [{"name": c.name, "weight": c.weight} for c in calibration.recipe.conditions],
            "inputs": images.hashes(),
        },
    )


def _draw(folder: Path, images: "ImageSet", calibration: "Calibration") -> None:
    """Pictures of real beside synthetic, and of their statistics."""
    from ..recipe import make_sample
    from ..report.calibration_figures import draw_calibration

    recipe = calibration.recipe
    pairs = []
    frequent = sorted(range(len(recipe.conditions)), key=lambda i: -recipe.conditions[i].weight)
    for i in frequent[:N_PAIRS]:
        condition = recipe.conditions[i]
        name = condition.name.split(" part ")[0]
        index = next(k for k in range(1_000_000, 1_010_000) if recipe.condition_of(k) == i)
        pairs.append((images.load(images.index_of(name)), make_sample(recipe, index)))
    draw_calibration(folder, pairs)
