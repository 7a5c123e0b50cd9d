"""Response curves: how the score of each method changes when images get worse in one respect."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ...core.rng import Key
from ...evaluate.segmentation import AbstractMetric, LabelPair
from ...evaluate.segmentation.base import registry as metrics
from ...evaluate.statistics import bootstrap_interval
from ...io.tables import write_parquet
from ...recipe import Recipe, make_sample
from ...segment.base import registry
from .options import Work
from .scores import metric_called
from .segmentation import failed_everywhere

N_IMAGES = 6
"""Images per level. All levels of a factor show the same scenes with other light, blur or crowding."""

BREAK = 0.8
"""A method breaks where its score falls below this share of its score on images like the user's."""


@dataclass(frozen=True)
class Factor:
    """One respect in which images differ, as multiples of what the user's images have."""

    name: str
    label: str
    levels: tuple[float, ...]
    scales: Mapping[str, float]
    """Recipe value to the power of the level that it is multiplied by."""
    limits: Mapping[str, float]
    """Largest value of a recipe key, where there is one."""


FACTORS = (
    Factor(
        "light",
        "light, times yours (less light, more noise)",
        (1 / 64, 1 / 16, 1 / 4, 1.0, 4.0),
        {
            "render.photons": 1,
            "render.background.photons": 1,
            "render.camera.gain_counts_per_electron": -1,
            "render.camera.read_noise_electrons": 0,
        },
        {},
    ),
    Factor("density", "cells per area, times yours", (0.5, 1.0, 2.0, 4.0), {"labels.density_per_mm2": 1}, {}),
    Factor("blur", "blur of the optics, times yours", (0.5, 1.0, 2.0, 4.0), {"render.psf.blur_um": 1}, {}),
    Factor(
        "contact",
        "share of touching cells and their overlap, times yours",
        (0.0, 0.5, 1.0, 2.0, 4.0),
        {"labels.touching": 1, "labels.overlap": 0.5},
        {"labels.touching": 0.95, "labels.overlap": 0.5},
    ),
)
"""What is varied. The least light keeps the read noise in electrons, so noise grows as it does in a dim image."""


def responses(work: Work, recipe: Recipe, methods: list[dict[str, Any]]) -> None:
    """Find where each method breaks when images get worse than the user's; writes `tables/response.parquet`."""
    if work.run.has("tables", "response.parquet"):
        return
    curves = response_curves(work, recipe, methods)
    write_parquet(work.run.path / "tables" / "response.parquet", curves)


def response_curves(work: Work, recipe: Recipe, methods: list[dict[str, Any]]) -> pd.DataFrame:
    """Score the tuned methods at every level of every factor.

    Returns
    -------
    curves
        `factor`, `label`, `level` (1 is what the user's images have), `method`, `mean`, `low`, `high` (95 % bootstrap
        over images), `n`, and `break_level`: where the score first falls below `BREAK` times that at level 1
        on the way to worse images, interpolated; NaN where it does not.
    """
    configs = {m["kind"]: m["config"] for m in methods if m["status"] == "ok"}
    images = [
        _Image(factor.name, level, varied(recipe, factor, level), i)
        for factor in FACTORS
        for level in factor.levels
        for i in range(2_000_000, 2_000_000 + N_IMAGES)
    ]
    # A method that failed on every image so far is not worth hundreds of crashes; it has the worst score.
    hopeless = failed_everywhere(work.run.path, "synthetic")
    found = _scored(work, images, {m: c for m, c in configs.items() if m not in hopeless})
    worst = _worst(metric_called(work.options.metric))
    rows = [
        {**image.place, "method": method, "value": values.get(method, worst)}
        for image, values in zip(images, found, strict=True)
        for method in configs
    ]
    return pd.DataFrame(_summarise(pd.DataFrame(rows), work.key("response")))


@dataclass(frozen=True)
class _Image:
    """An image at one level of one factor."""

    factor: str
    level: float
    recipe: Recipe
    index: int

    @property
    def place(self) -> dict[str, Any]:
        return {"factor": self.factor, "level": self.level, "index": self.index}


def _scored(work: Work, images: list[_Image], configs: dict[str, dict[str, Any]]) -> list[dict[str, float]]:
    """Score of every method on every image; without a method that brought the process down."""
    score = partial(_score, metric_called(work.options.metric).to_dict())
    # An image is made once for all methods, and where one of them ends the process, again for each.
    all_at_once = [(image, configs) for image in images]
    each = work.pool.map(score, all_at_once, lambda *_: {})
    found = list(work.progress.track(each, "response curves", len(images)))
    died = [i for i, values in enumerate(found) if not values]
    one_by_one = [(images[i], {method: config}) for i in died for method, config in configs.items()]
    again = work.pool.map(score, one_by_one, lambda *_: {})
    for i in died:
        for _ in configs:
            found[i] = {**found[i], **next(again)}
    return found


def varied(recipe: Recipe, factor: Factor, level: float) -> Recipe:
    """The recipe with one respect changed in every condition."""
    data = recipe.to_dict()
    for condition in data["conditions"]:
        for path, power in factor.scales.items():
            if path in condition["values"]:
                value = condition["values"][path] * level**power
                condition["values"][path] = min(value, factor.limits.get(path, value))
    return Recipe.parse(data, source=f"{factor.name} {level}")


def _score(metric_config: dict[str, Any], work: tuple[_Image, dict[str, dict[str, Any]]]) -> dict[str, float]:
    """Score of every method on one image; a method that fails has the worst."""
    image, configs = work
    metric = metrics.parse(metric_config)
    sample = make_sample(image.recipe, image.index)
    assert sample.labels is not None
    values = {}
    for method, config in configs.items():
        try:
            labels = registry.parse(config).build(sample.grid)(sample.image)
        except (Exception, SystemExit):
            values[method] = _worst(metric)
        else:
            values[method] = metric.score(metric.measure(LabelPair(sample.labels, labels)))
    return values


def _worst(metric: AbstractMetric) -> float:
    return metric.worst if metric.worst is not None else float("nan")


def _summarise(table: pd.DataFrame, key: Key) -> Iterator[dict[str, Any]]:
    labels = {factor.name: factor.label for factor in FACTORS}
    for (factor, method), part in table.groupby(["factor", "method"], sort=False):
        intervals = {
            level: bootstrap_interval(
                group["value"].to_numpy(float), key=key.child(str(factor), str(method), str(level))
            )
            for level, group in part.groupby("level", sort=True)
        }
        means = {float(str(level)): interval.value for level, interval in intervals.items()}
        breaks = break_level(means, is_worse_below=factor == "light")
        for level, interval in intervals.items():
            yield {
                "factor": factor,
                "label": labels[str(factor)],
                "level": level,
                "method": method,
                "mean": interval.value,
                "low": interval.low,
                "high": interval.high,
                "n": interval.n,
                "break_level": breaks,
            }


def break_level(means: Mapping[float, float], *, is_worse_below: bool) -> float:
    """Level at which a curve first falls below `BREAK` times its value at level 1, walking to worse images.

    Straight lines between the logarithms of the levels. NaN where the curve never falls so far, or is not
    defined.
    """
    threshold = BREAK * means[1.0]
    levels = sorted((x for x in means if (x <= 1 if is_worse_below else x >= 1)), reverse=is_worse_below)
    for near, far in itertools.pairwise(levels):
        if means[near] >= threshold > means[far]:
            share = (means[near] - threshold) / (means[near] - means[far])
            return float(np.exp(np.log(near) + share * (np.log(far) - np.log(near))))
    return float("nan")
