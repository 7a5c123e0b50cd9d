"""What every evaluation does with its scores: summary, tables on disk, the same printed."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from ...core.rng import Key
from ...evaluate.counts import AbstractCounts
from ...evaluate.scored import AbstractScored
from ...evaluate.table import pooled_scores, score_rows, score_table, summary_table
from ...io.tables import write_json, write_parquet
from .._progress import Progress
from .._run_folder import made_whole

LEVEL = 0.95
"""Of the intervals."""


@contextmanager
def made(out: Path | None) -> Iterator[Path | None]:
    """`made_whole`, or nothing where nothing is to be written."""
    if out is None:
        yield None
        return
    with made_whole(out) as folder:
        yield folder


class ImageScores:
    """Scores image by image, with what was counted, for the mean and the pooled score."""

    def __init__(self, metrics: Sequence[AbstractScored]) -> None:
        self.metrics = metrics
        self._rows: list[dict[str, Any]] = []
        self._counts: list[Mapping[str, AbstractCounts]] = []

    def add(self, image: str, measured: Mapping[str, AbstractCounts]) -> None:
        """Take what every metric measured on an image, by its name."""
        scores = {metric.name: metric.score(measured[metric.name]) for metric in self.metrics}
        self._rows += score_rows("real", "prediction", image, scores)
        self._counts.append(measured)

    @property
    def table(self) -> pd.DataFrame:
        """`image`, `metric`, `value`."""
        return score_table(self._rows)[["image", "metric", "value"]]

    def summary(self, units: Mapping[str, str]) -> pd.DataFrame:
        """Mean over images with its interval, over how many, the pooled score and the unit of every metric."""
        key = Key.from_seed(0).child("evaluate")
        found = summary_table(score_table(self._rows), self.metrics, key=key, level=LEVEL)
        pooled = pooled_scores(self._counts, self.metrics)
        return found[["metric", "mean", "low", "high", "n"]].assign(
            pooled=found["metric"].map(pooled), unit=found["metric"].map(dict(units))
        )


def write_result(
    folder: Path | None,
    summary: pd.DataFrame,
    metrics: Sequence[AbstractScored],
    options: Mapping[str, Any],
    tables: Mapping[str, pd.DataFrame],
    **further: Any,
) -> None:
    """Write `summary.json` and a Parquet file per table; nothing where there is no folder.

    Parameters
    ----------
    further
        More entries of `summary.json`.
    """
    if folder is None:
        return
    for name, table in tables.items():
        write_parquet(folder / f"{name}.parquet", table)
    write_json(
        folder / "summary.json",
        {
            "level": LEVEL,
            "options": dict(options),
            "definitions": [metric.to_dict() for metric in metrics],
            "metrics": summary.to_dict(orient="records"),
            **further,
        },
    )


def print_result(summary: pd.DataFrame, out: Path | None, progress: Progress, *, quiet: bool) -> None:
    """Show the summary, without units where nothing has one, and say where the tables are."""
    if not quiet:
        shown = summary if any(summary["unit"]) else summary.drop(columns="unit")
        sys.stdout.write(shown.to_string(index=False, float_format=lambda v: f"{v:.4f}") + "\n")
    if out is not None:
        progress.say(f"tables: {out}")


def listed(metrics: str | Sequence[str]) -> str:
    """Metrics as one text, from what the command line or Python gives."""
    return metrics if isinstance(metrics, str) else ",".join(metrics)
