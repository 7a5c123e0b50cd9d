"""From labels on disk to tables: scores, summaries, rankings, tests, agreement."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...core.errors import InputError
from ...core.rng import Key
from ...data.image_set import ImageSet
from ...data.label_file import read_label_file
from ...evaluate.segmentation import AbstractMetric, LabelPair
from ...evaluate.statistics import (
    MOST,
    images_needed,
    paired_gain,
    paired_tests,
    rank_methods,
    ranking_agreement,
    smallest_difference,
)
from ...evaluate.statistics._scores import score_matrix
from ...evaluate.table import (
    default_metrics,
    failure_rows,
    score_pair,
    score_rows,
    score_table,
    summary_table,
    threshold_metrics,
    wide_scores,
)
from ...io.tables import read_parquet, write_json, write_parquet
from .options import Work
from .segmentation import prediction_path
from .tuning import variants_of

SMALL_DIFFERENCE = 0.02
"""Of the deciding score: what is worth telling apart."""

DEFAULT = " (default)"
"""Ending of the name of a method in its default configuration."""


def scored_metrics() -> list[AbstractMetric]:
    """Everything that is scored: the default metrics and average precision at ten thresholds."""
    metrics = {m.name: m for m in [*default_metrics(), *threshold_metrics()]}
    return list(metrics.values())


def metric_called(name: str) -> AbstractMetric:
    """One of them by its name in the tables."""
    return next(m for m in scored_metrics() if m.name == name)


def evaluated(work: Work, real: ImageSet, synthetic: ImageSet, methods: list[dict[str, Any]]) -> None:
    """Score everything and draw the conclusions; always done anew, it takes seconds."""
    scores = score_all(work, {"synthetic": synthetic, "real": real.labelled()}, methods)
    conclude(work.run.path, scores, metric_called(work.options.metric), work.key("statistics"))


def score_all(work: Work, data: dict[str, ImageSet], methods: list[dict[str, Any]]) -> pd.DataFrame:
    """Score every method on every labelled image, and write `tables/scores.parquet`."""
    n_images = sum(len(images) for images in data.values())
    found = _scored_images(work.run.path, data, methods, scored_metrics())
    rows: list[dict[str, Any]] = []
    for image_rows in work.progress.track(found, "evaluate", n_images):
        rows += image_rows
    table = score_table(rows)
    write_parquet(work.run.path / "tables" / "scores.parquet", table)
    return table


def _scored_images(
    run: Path, data: dict[str, ImageSet], methods: list[dict[str, Any]], metrics: list[AbstractMetric]
) -> Iterator[list[dict[str, Any]]]:
    names = [name for m in methods if m["status"] == "ok" for name, _ in variants_of(m)]
    for origin, images in data.items():
        outcomes = read_parquet(run / "tables" / f"outcomes_{origin}.parquet")
        failed = set(zip(*outcomes.loc[outcomes["error"].notna(), ["method", "image"]].T.values, strict=True))
        for entry in images.entries:
            reference = entry.load_labels()
            assert reference is not None
            rows = []
            for name in names:
                if (name, entry.name) in failed:
                    rows += failure_rows(origin, name, entry.name, metrics)
                    continue
                path = prediction_path(run, origin, name, entry.name)
                pair = LabelPair(reference, read_label_file(path, may_be_mask=True))
                rows += score_rows(origin, name, entry.name, score_pair(pair, metrics))
            yield rows


def conclude(run: Path, scores: pd.DataFrame, chosen: AbstractMetric, key: Key) -> dict[str, Any]:
    """Summaries with intervals, rankings, tests, gains by tuning, agreement; written to `tables/`."""
    metrics = scored_metrics()
    origins = [o for o in ("synthetic", "real") if (scores["origin"] == o).any()]
    tables = run / "tables"
    write_parquet(tables / "summary.parquet", summary_table(scores, metrics, key=key.child("summary")))
    tuned = scores[~scores["method"].str.endswith(DEFAULT)]
    result: dict[str, Any] = {
        "metric": chosen.name,
        "higher_is_better": chosen.higher_is_better,
        "n_images": {o: int(scores.loc[scores["origin"] == o, "image"].nunique()) for o in origins},
        "rankings": {},
        "tests": {},
        "power": {},
        "tuning_gain": {},
        "cost": _cost(run, origins),
        "agreement": None,
        "agreement_with_defaults": None,
    }
    for origin in origins:
        values, failed = wide_scores(tuned, chosen.name, origin)
        ranking = rank_methods(
            values,
            higher_is_better=chosen.higher_is_better,
            key=key.child("rank", origin),
            failed=failed,
            worst=chosen.worst,
        )
        table = ranking.table.rename_axis("method").reset_index()
        result["rankings"][origin] = {
            "scheme": ranking.scheme,
            "level": ranking.level,
            "rows": table.to_dict(orient="records"),
            "distribution": pd.DataFrame(ranking.distribution).to_numpy(),
        }
        tests = paired_tests(
            values,
            higher_is_better=chosen.higher_is_better,
            key=key.child("tests", origin),
            failed=failed,
            worst=chosen.worst,
        )
        result["tests"][origin] = tests.to_dict(orient="records")
        first_two = ranking.table.sort_values("rank", kind="stable").index[:2]
        result["power"][origin] = _power(
            values[list(first_two)], failed[list(first_two)], chosen, key.child("power", origin)
        )
        result["tuning_gain"][origin] = _gains(scores, chosen, origin, key.child("gain", origin))
    if len(origins) == 2:
        for name, table in (("agreement", tuned), ("agreement_with_defaults", scores)):
            result[name] = _agreement(table, chosen, key.child(name))
        result["agreement_by_metric"] = {
            m.name: _agreement(tuned, m, key.child("agreement", m.name)) for m in default_metrics()
        }
    write_json(tables / "results.json", result)
    return result


def _agreement(table: pd.DataFrame, metric: AbstractMetric, key: Key) -> dict[str, Any]:
    synthetic, failed_synthetic = wide_scores(table, metric.name, "synthetic")
    real, failed_real = wide_scores(table, metric.name, "real")
    found = ranking_agreement(
        synthetic,
        real,
        higher_is_better=metric.higher_is_better,
        key=key,
        failed_a=failed_synthetic,
        failed_b=failed_real,
        worst=metric.worst,
    )
    return {
        "tau": found.tau,
        "low": found.low,
        "high": found.high,
        "level": found.level,
        "n_methods": found.n_methods,
        "n_images": list(found.n_units),
    }


def _power(
    values: pd.DataFrame, failed: pd.DataFrame, metric: AbstractMetric, key: Key
) -> dict[str, Any] | None:
    """How many images tell the first two methods apart; None where there are too few to know how they differ."""
    if values.shape[1] < 2:
        return None
    filled = score_matrix(values, failed, higher_is_better=metric.higher_is_better, worst=metric.worst)
    differences = filled.values[:, 0] - filled.values[:, 1]
    differences = differences[np.isfinite(differences)]
    try:
        needed = images_needed(differences, SMALL_DIFFERENCE, key=key.child("needed"))
    except InputError:  # fewer than five images, or all with one difference
        return None
    least = smallest_difference(differences, len(differences), key=key.child("least"))
    return {
        "methods": filled.methods,
        "difference": SMALL_DIFFERENCE,
        "n_images": len(differences),
        "n_images_needed": needed.n,
        "is_capped": needed.n >= MOST and needed.reached < needed.power,
        "smallest_difference": least.difference,
        "power": needed.power,
        "alpha": needed.alpha,
    }


def _gains(scores: pd.DataFrame, metric: AbstractMetric, origin: str, key: Key) -> list[dict[str, Any]]:
    """What tuning changed, per method and over all methods (mean per image)."""
    values, failed = wide_scores(scores, metric.name, origin)
    worst = metric.worst if metric.worst is not None else float("nan")
    filled = values.mask(failed, worst)
    kinds = [m for m in filled.columns if not m.endswith(DEFAULT) and f"{m}{DEFAULT}" in filled.columns]
    rows = []
    columns = {kind: (filled[kind], filled[f"{kind}{DEFAULT}"]) for kind in kinds}
    if kinds:
        columns["all methods"] = (
            filled[kinds].mean(axis=1),
            filled[[f"{k}{DEFAULT}" for k in kinds]].mean(axis=1),
        )
    for name, (after, before) in columns.items():
        gain = paired_gain(
            after.to_numpy(),
            before.to_numpy(),
            key=key.child(name),
            higher_is_better=metric.higher_is_better,
        )
        rows.append(
            {"method": name, "gain": gain.value, "low": gain.low, "high": gain.high, "p": gain.p, "n": gain.n}
        )
    return rows


def _cost(run: Path, origins: list[str]) -> list[dict[str, Any]]:
    """Median seconds per image and per megapixel, and the highest memory, of every tuned method."""
    rows = []
    frames = [read_parquet(run / "tables" / f"outcomes_{o}.parquet") for o in ("synthetic", "real")]
    table = pd.concat(frames, ignore_index=True)
    for method, part in table.groupby("method", sort=False):
        if str(method).endswith(DEFAULT):
            continue
        rows.append(
            {
                "method": method,
                "seconds_per_image": float(part["seconds"].median()),
                "peak_mb": float(part["peak_mb"].max()),
                "n_failed": int(part["error"].notna().sum()),
                "first_error": next(iter(part["error"].dropna()), None),
            }
        )
    return rows
