"""What a report is made from: the tables and images of one benchmark, read and checked once."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from ..core.errors import InputError
from ..core.grid import Grid
from ..core.sample import Sample
from ..core.types import Labels
from ..data.dataset import open_dataset
from ..data.image_set import Entry, ImageSet
from ..data.label_file import read_label_file
from ..io.tables import read_json, read_parquet

DEFAULT = " (default)"
"""Ending of the name of a method in its default configuration."""

_NEEDED = (
    "run.json",
    "recipe.yaml",
    "calibration/calibration.json",
    "calibration/statistics.parquet",
    "calibration/cells.parquet",
    "calibration/curves.parquet",
    "tables/images.json",
    "tables/methods.json",
    "tables/outcomes_real.parquet",
    "tables/outcomes_synthetic.parquet",
    "tables/scores.parquet",
    "tables/summary.parquet",
    "tables/results.json",
    "synthetic/dataset.json",
)


@dataclass(frozen=True)
class Benchmark:
    """The results of one benchmark; images are read when asked for."""

    folder: Path
    record: dict[str, Any]
    results: dict[str, Any]
    methods: list[dict[str, Any]]
    calibration: dict[str, Any]
    statistics: pd.DataFrame
    cells: pd.DataFrame
    curves: pd.DataFrame
    summary: pd.DataFrame
    scores: pd.DataFrame
    response: pd.DataFrame | None
    """Score against the difficulty of the images; None where it was not measured."""

    recipe: str
    synthetic: ImageSet
    real: dict[str, Entry]
    """Real images by name; the files may be gone."""

    @property
    def settings(self) -> dict[str, Any]:
        """Options of the run."""
        return self.record["settings"]

    @property
    def metric(self) -> str:
        """Metric that decides the ranking."""
        return str(self.results["metric"])

    @property
    def is_higher_better(self) -> bool:
        """Direction of that metric."""
        return bool(self.results["higher_is_better"])

    @property
    def has_reference(self) -> bool:
        """Whether labelled real images were scored."""
        return "real" in self.results["rankings"]

    @cached_property
    def ranked(self) -> list[str]:
        """Methods that ran, by their rank on synthetic images, best first."""
        rows = self.results["rankings"]["synthetic"]["rows"]
        return [
            r["method"] for r in sorted(rows, key=lambda r: (r["rank"] is None, r["rank"] or 0, r["method"]))
        ]

    @property
    def missing(self) -> list[dict[str, Any]]:
        """Methods that are not installed."""
        return [m for m in self.methods if m["status"] != "ok"]

    def ranking(self, origin: str) -> dict[str, dict[str, Any]]:
        """Row of the ranking by method; empty where nothing of this origin was scored."""
        ranking = self.results["rankings"].get(origin)
        return {r["method"]: r for r in ranking["rows"]} if ranking else {}

    def leaders(self, origin: str) -> list[str]:
        """Methods that share the first rank; empty where no method has a score."""
        ranking = self.ranking(origin)
        return [m for m in self.ranked if m in ranking and ranking[m]["rank"] == 1]

    def tells_apart(self, origin: str) -> bool:
        """Whether some methods rank before others; not so where labels are blank and all have the same score."""
        return 0 < len(self.leaders(origin)) < len(self.ranking(origin))

    def mean(self, origin: str, method: str, metric: str) -> dict[str, Any] | None:
        """Row of the summary; None where there is none, or no mean is defined."""
        s = self.summary
        rows = s[(s["origin"] == origin) & (s["method"] == method) & (s["metric"] == metric)]
        return {str(k): v for k, v in rows.iloc[0].items()} if rows["mean"].notna().any() else None

    def cost(self, method: str) -> dict[str, Any]:
        """Time, memory and failures of a method."""
        return next((c for c in self.results["cost"] if c["method"] == method), {})

    def gain(self, origin: str, method: str) -> dict[str, Any] | None:
        """What tuning changed, or None."""
        rows = self.results["tuning_gain"].get(origin, [])
        return next((g for g in rows if g["method"] == method), None)

    def test(self, origin: str, a: str, b: str) -> dict[str, Any] | None:
        """Paired test of two methods, seen from `a`; None where there is none."""
        for row in self.results["tests"].get(origin, []):
            if (row["method_a"], row["method_b"]) == (a, b):
                return row
            if (row["method_a"], row["method_b"]) == (b, a):
                turned = {
                    "mean_difference": "mean_difference",
                    "low": "high",
                    "high": "low",
                    "effect": "effect",
                }
                signs = {k: None if row[v] is None else -row[v] for k, v in turned.items()}
                return {**row, "method_a": a, "method_b": b, **signs}
        return None

    def real_sample(self, name: str) -> Sample | None:
        """Load a real image (its labels with it, where it has some); None where it is gone or another one."""
        entry = self.real.get(name)
        if entry is None:
            return None
        try:
            sample = entry.load()
        except (InputError, OSError):
            return None
        return sample if sample.image.shape[1:] == entry.grid.shape_px else None

    def prediction(self, origin: str, method: str, image: str) -> Labels | None:
        """Labels that a method gave; None where it failed."""
        folder = self.folder / "segmentation" / origin / method.replace(DEFAULT, "_default")
        path = folder / f"{image}.tif"
        return read_label_file(path, may_be_mask=True) if path.exists() else None

    def image_scores(self, origin: str, method: str, metric: str | None = None) -> pd.Series:
        """Score of each image; NaN where the method failed or the score is undefined."""
        s = self.scores
        chosen = s[
            (s["origin"] == origin) & (s["method"] == method) & (s["metric"] == (metric or self.metric))
        ]
        return chosen.set_index("image")["value"]


def read_benchmark(folder: Path) -> Benchmark:
    """Read the folder of a benchmark.

    Raises
    ------
    InputError
        If it is none, or one that has not come to its end; names what is missing.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"{folder}: is no folder; give the output folder of `cellsynth benchmark`")
    missing = [name for name in _NEEDED if not (folder / name).is_file()]
    if "run.json" in missing:
        raise InputError(
            f"{folder}: is not the folder of a benchmark, it has no run.json; give the output folder of "
            "`cellsynth benchmark` or `cellsynth demo`"
        )
    if missing:
        raise InputError(
            f"{folder}: the benchmark has not come to its end, {', '.join(missing)} is missing; repeat the same "
            "command with --resume, then the report is written as well"
        )
    tables, calibration = folder / "tables", folder / "calibration"
    response = tables / "response.parquet"
    return Benchmark(
        folder=folder,
        record=read_json(folder / "run.json"),
        results=read_json(tables / "results.json"),
        methods=read_json(tables / "methods.json")["methods"],
        calibration=read_json(calibration / "calibration.json"),
        statistics=read_parquet(calibration / "statistics.parquet"),
        cells=read_parquet(calibration / "cells.parquet"),
        curves=read_parquet(calibration / "curves.parquet"),
        summary=read_parquet(tables / "summary.parquet"),
        scores=read_parquet(tables / "scores.parquet"),
        response=read_parquet(response) if response.is_file() else None,
        recipe=(folder / "recipe.yaml").read_text("utf-8"),
        synthetic=open_dataset(folder / "synthetic"),
        real={row["name"]: _entry(row) for row in read_json(tables / "images.json")["images"]},
    )


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        name=row["name"],
        image=Path(row["image"]),
        labels=Path(row["labels"]) if row["labels"] else None,
        grid=Grid.parse(row["grid"]),
        bit_depth=row["bit_depth"],
        channel=row["channel"],
        is_ours=row["is_ours"],
    )
