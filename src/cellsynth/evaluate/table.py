"""Scores as tidy tables: one row per origin, method, image and metric."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ..core.errors import InputError
from ..core.rng import Key
from .counts import AbstractCounts
from .scored import AbstractScored
from .segmentation import AbstractMetric, LabelPair, registry
from .statistics import bootstrap_interval
from .statistics._scores import score_matrix

Metrics = Sequence[AbstractMetric]

SCORE_COLUMNS = ("origin", "method", "image", "metric", "value", "failed")
"""Columns of a score table. `value` is NaN where the metric is undefined for the image or the method failed;
`failed` tells the two apart."""


def default_metrics() -> list[AbstractMetric]:
    """What is measured where a recipe does not say; the first decides the ranking."""
    kinds: list[Any] = [
        "average_precision",
        {"kind": "average_precision", "iou": 0.7},
        {"kind": "average_precision", "iou": 0.9},
        "mean_average_precision",
        "f1",
        "panoptic_quality",
        "detection_quality",
        "segmentation_quality",
        "aggregated_jaccard",
        "dice",
        "count_error",
    ]
    return [registry.parse(kind) for kind in kinds]


def threshold_metrics(kind: str = "average_precision") -> list[AbstractMetric]:
    """One metric at each IoU threshold from 0.5 to 0.95, for a curve over thresholds."""
    return [registry.parse({"kind": kind, "iou": percent / 100}) for percent in range(50, 100, 5)]


def measure_pair(pair: LabelPair, metrics: Metrics | None = None) -> dict[str, AbstractCounts]:
    """Counts of every metric on one image, by the metric's name; those of several images add."""
    return {m.name: m.measure(pair) for m in (default_metrics() if metrics is None else metrics)}


def score_pair(pair: LabelPair, metrics: Metrics | None = None) -> dict[str, float]:
    """Score of every metric on one image, by the metric's name; NaN where it is undefined."""
    return {m.name: m.score(m.measure(pair)) for m in (default_metrics() if metrics is None else metrics)}


def pooled_scores(
    counts: Iterable[Mapping[str, AbstractCounts]], metrics: Sequence[AbstractScored] | None = None
) -> dict[str, float]:
    """Score of the summed counts of several images: every object weighs the same, not every image.

    Parameters
    ----------
    counts
        What each metric measured on each image, by its name, as `measure_pair` gives it. Without an image every
        score is NaN.
    """
    images = list(counts)
    scores = {}
    for metric in default_metrics() if metrics is None else metrics:
        if not images:
            scores[metric.name] = float("nan")
            continue
        total = images[0][metric.name]
        for image in images[1:]:
            total = total + image[metric.name]
        scores[metric.name] = metric.score(total)
    return scores


def score_rows(origin: str, method: str, image: str, scores: Mapping[str, float]) -> list[dict[str, Any]]:
    """Rows of a score table for one image segmented by one method."""
    where = {"origin": origin, "method": method, "image": image}
    return [{**where, "metric": name, "value": value, "failed": False} for name, value in scores.items()]


def failure_rows(
    origin: str, method: str, image: str, metrics: Metrics | None = None
) -> list[dict[str, Any]]:
    """Rows of a score table for one image on which a method failed."""
    names = [m.name for m in (default_metrics() if metrics is None else metrics)]
    rows = score_rows(origin, method, image, dict.fromkeys(names, float("nan")))
    return [{**row, "failed": True} for row in rows]


def score_table(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Tidy table of the rows, with the columns `SCORE_COLUMNS`.

    Raises
    ------
    InputError
        If a method has two values of one metric for one image.
    """
    table = pd.DataFrame(list(rows), columns=list(SCORE_COLUMNS)).astype({"value": float, "failed": bool})
    repeated = table.duplicated(["origin", "method", "image", "metric"])
    if repeated.any():
        first = table[repeated].iloc[0]
        raise InputError(
            f"{first['metric']} of {first['method']} on {first['image']} ({first['origin']}) is there twice; "
            "each image may be scored once per method"
        )
    return table


def wide_scores(table: pd.DataFrame, metric: str, origin: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Images by methods of one metric and origin: the scores, and where the method failed.

    Methods and images are in the order of their first row. An image that a method has no row for was not
    tried by it, which counts as failed: silence must not be better than a low score.

    Raises
    ------
    InputError
        If the table has no row of this metric and origin.
    """
    chosen = table[(table["metric"] == metric) & (table["origin"] == origin)]
    if chosen.empty:
        raise InputError(
            f"no score of {metric!r} with origin {origin!r}; there are "
            f"{', '.join(sorted(set(table['metric'])))} with {', '.join(sorted(set(table['origin'])))}"
        )
    by = {"index": "image", "columns": "method"}
    images, methods = (list(dict.fromkeys(chosen[column])) for column in ("image", "method"))
    values = chosen.pivot(**by, values="value").reindex(index=images, columns=methods)
    failed = chosen.pivot(**by, values="failed").reindex(index=images, columns=methods)
    return values, failed.ne(False)  # a gap is not False either


def summary_table(
    table: pd.DataFrame,
    metrics: Sequence[AbstractScored],
    *,
    key: Key,
    level: float = 0.95,
    n_resamples: int = 2000,
) -> pd.DataFrame:
    """Mean over images of every metric of `metrics`, method and origin in a score table, with its interval.

    Returns
    -------
    summary
        `origin`, `method`, `metric`, `mean`, `low` and `high` (bootstrap over images, see
        `bootstrap_interval`), `n` (images for which the score is defined), `n_failed`. A failure scores
        `AbstractScored.worst`, or where that is infinite the worst score of any method in that origin. A mean that an
        infinite score makes infinite has no interval.
    """
    rows = []
    for metric in metrics:
        for origin in dict.fromkeys(table.loc[table["metric"] == metric.name, "origin"]):
            values, failed = wide_scores(table, metric.name, str(origin))
            if np.isinf(values.to_numpy(float)).any():
                rows += _infinite(str(origin), metric, values, failed)
                continue
            filled = score_matrix(
                values, failed, higher_is_better=metric.higher_is_better, worst=metric.worst
            )
            for j, method in enumerate(filled.methods):
                interval = bootstrap_interval(
                    filled.values[:, j],
                    key=key.child(str(origin), method, metric.name),
                    level=level,
                    n_resamples=n_resamples,
                )
                ends = (interval.value, interval.low, interval.high, interval.n)
                rows.append((str(origin), method, metric.name, *ends, int(filled.failed[:, j].sum())))
    return pd.DataFrame(rows, columns=["origin", "method", "metric", "mean", "low", "high", "n", "n_failed"])


def _infinite(
    origin: str, metric: AbstractScored, values: pd.DataFrame, failed: pd.DataFrame
) -> list[tuple[Any, ...]]:
    """Rows of the summary for a metric with infinite scores, such as the PSNR of equal images."""
    nan = float("nan")
    filled = values if metric.worst is None else values.mask(failed, metric.worst)
    return [
        (
            origin,
            str(method),
            metric.name,
            filled[method].mean(),
            nan,
            nan,
            int(filled[method].count()),
            int(failed[method].sum()),
        )
        for method in filled.columns
    ]
