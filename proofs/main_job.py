"""The main job on all fluorescence images of DSB2018: does the synthetic ranking hold on the real images?"""

import csv
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._claim import Claim
from cellsynth.core.rng import Key
from cellsynth.data.folder import read_folder
from cellsynth.data.image_set import ImageSet
from cellsynth.evaluate.statistics import bootstrap_interval
from cellsynth.pipeline.benchmark import run_benchmark

NEEDS = ("dsb2018",)

N_SYNTHETIC = 96
N_TUNING = 10

OTHER_SEEDS = (1, 2)
"""How much of the result is chance of the random numbers and of the images: other seeds on a third of the images
each."""


def claims(data: Path) -> Iterator[Claim]:
    found = fluorescence(data)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "main_job"
        run_benchmark(found, out, n_images=N_SYNTHETIC, n_tuning=N_TUNING)
        results = json.loads((out / "tables" / "results.json").read_text())
        calibration = json.loads((out / "calibration" / "calibration.json").read_text())
        _keep_pictures(out)
    yield from _agreement(results)
    yield from _other_seeds(found)
    yield from _gain(results)
    yield from _choice(results)
    yield from _calibration(calibration, found)
    yield from _scores(results)


def _other_seeds(found: ImageSet) -> Iterator[Claim]:
    for seed in OTHER_SEEDS:
        part = found.take(range(seed, len(found), 3))
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "main_job"
            run_benchmark(part, out, n_images=N_SYNTHETIC, n_tuning=N_TUNING, seed=seed)
            results = json.loads((out / "tables" / "results.json").read_text())
        agreement = results["agreement"]
        gain = next(r for r in results["tuning_gain"]["real"] if r["method"] == "all methods")
        where = f"seed {seed}, {len(part)} of the real images"
        yield Claim(
            f"main job: Kendall tau of the {agreement['n_methods']} tuned methods with {where}",
            value=agreement["tau"],
            interval=(agreement["low"], agreement["high"]),
            target=0.8,
        )
        yield Claim(
            f"main job: gain by tuning, mean of all methods, with {where}",
            value=gain["gain"],
            interval=(gain["low"], gain["high"]),
            target=0.0,
        )


def fluorescence(data: Path) -> ImageSet:
    """Every fluorescence image of the developers' part, with its labels as reference."""
    folder = data / "dsb2018"
    with (folder / "index.csv").open() as file:
        names = [row["id"] for row in csv.DictReader(file) if row["kind"] == "fluorescence"]
    return read_folder(folder / "images", folder / "masks", only=names)


def _agreement(results: dict[str, Any]) -> Iterator[Claim]:
    n = results["n_images"]
    for name, what, target in (
        ("agreement", "tuned methods", 0.8),
        ("agreement_with_defaults", "methods, tuned and in their default configuration", None),
    ):
        found = results[name]
        yield Claim(
            f"main job: Kendall tau between the rankings of {found['n_methods']} {what} on {n['synthetic']} synthetic "
            f"and {n['real']} real images (AP at IoU 0.5)",
            value=found["tau"],
            interval=(found["low"], found["high"]),
            target=target,
        )
    yield _decided_pairs(results)
    for metric, found in results["agreement_by_metric"].items():
        if metric != results["metric"]:
            yield Claim(
                f"main job: the same tau of the tuned methods by {metric}",
                value=_number(found["tau"]),
                interval=_interval(found),
            )


def _decided_pairs(results: dict[str, Any]) -> Claim:
    """Tau counts every exchange of methods that the real images do not tell apart either; this does not."""
    synthetic = {row["method"]: row["score"] for row in results["rankings"]["synthetic"]["rows"]}
    decided = [row for row in results["tests"]["real"] if row["p_holm"] is not None and row["p_holm"] < 0.05]
    is_same = [
        (synthetic[row["method_a"]] - synthetic[row["method_b"]]) * row["mean_difference"] > 0
        for row in decided
    ]
    return Claim(
        f"main job: share of the {len(decided)} pairs of tuned methods that the real images tell apart "
        f"(of {len(results['tests']['real'])}; p < 0.05 after Holm) which the synthetic images put in the same order",
        value=float(np.mean(is_same)) if is_same else float("nan"),
        target=0.9,
    )


def _gain(results: dict[str, Any]) -> Iterator[Claim]:
    for row in results["tuning_gain"]["real"]:
        is_all = row["method"] == "all methods"
        yield Claim(
            f"main job: AP at IoU 0.5 on real images gained by tuning on {N_TUNING} synthetic ones, {row['method']}",
            value=row["gain"],
            interval=_interval(row),
            target=0.0 if is_all else None,
        )
        if is_all:
            yield Claim(
                "main job: p of that gain, mean of all methods (Wilcoxon signed-rank, paired by image)",
                value=row["p"],
                target=0.05,
                direction="at most",
            )


def _choice(results: dict[str, Any]) -> Iterator[Claim]:
    """What it costs to trust the synthetic ranking: the best method there against the best on the real images."""
    real = {row["method"]: row["score"] for row in results["rankings"]["real"]["rows"]}
    synthetic = {row["method"]: row["score"] for row in results["rankings"]["synthetic"]["rows"]}
    picked = max(synthetic, key=lambda m: synthetic[m])
    yield Claim(
        f"main job: real AP at IoU 0.5 of {picked}, the best on synthetic images, below that of the best on real ones",
        value=max(real.values()) - real[picked],
        target=0.02,
        direction="at most",
    )


def _calibration(calibration: dict[str, Any], images: ImageSet) -> Iterator[Claim]:
    """Calibrated values, found without labels, beside what the labels say."""
    fitted = {p["name"]: p for p in calibration["parameters"]}
    density, radius = [], []
    for entry in images.entries:
        labels = entry.load_labels()
        assert labels is not None
        areas = np.bincount(labels.ravel())[1:]
        density.append(len(areas) / labels.size * 1e6)
        radius.append(float(np.sqrt(np.median(areas) / np.pi)) if len(areas) else np.nan)
    for name, truth, unit in (("density", density, "per Mpx"), ("radius", radius, "px")):
        values = np.array([v for v in truth if np.isfinite(v)])
        known = bootstrap_interval(
            values, _median, key=Key.from_seed(0).child("proof", name), method="percentile"
        )
        found = fitted[name]
        yield Claim(
            f"main job: calibrated {name} ({unit}, median over images); reference: from the labels "
            f"[{known.low:.4g}, {known.high:.4g}]",
            value=found["value"],
            interval=(found["low"], found["high"]),
            reference=known.value,
        )


def _scores(results: dict[str, Any]) -> Iterator[Claim]:
    real = {row["method"]: row for row in results["rankings"]["real"]["rows"]}
    for row in results["rankings"]["synthetic"]["rows"]:
        yield Claim(
            f"main job: AP at IoU 0.5 on synthetic images, {row['method']}, rank {row['rank']:.0f}; reference: on real "
            f"images, rank {real[row['method']]['rank']:.0f}",
            value=row["score"],
            reference=real[row["method"]]["score"],
        )


def _median(values: np.ndarray) -> np.ndarray:
    return np.median(values, axis=-1)


def _number(value: float | None) -> float | None:
    return None if value is None else float(value)


def _interval(row: dict[str, Any]) -> tuple[float, float] | None:
    return None if row["low"] is None or row["high"] is None else (row["low"], row["high"])


def _keep_pictures(run: Path) -> None:
    """Leave the page of the run where a person can open it."""
    kept = Path("out") / "proofs"
    kept.mkdir(parents=True, exist_ok=True)
    page = run / "report.html"
    if page.exists():
        (kept / "main_job.html").write_bytes(page.read_bytes())
        print(f"page: {kept / 'main_job.html'}", file=sys.stderr)
