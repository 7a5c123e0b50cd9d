"""The main job: calibrate, synthesize, tune, segment, evaluate, report."""

import dataclasses
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ...core.parallel import WorkerPool
    from ...data.image_set import ImageSet
    from ...recipe import Recipe
    from .._measured_run import Outcome
    from .._progress import Progress
    from .._run_folder import RunFolder

_log = logging.getLogger(__name__)

N_SHOWN = 8
"""Unlabelled real images that are segmented as well, to be looked at."""


def benchmark(
    images: Path | str,
    out: Path | str,
    overrides: Sequence[str] = (),
    *,
    reference: Path | str | None = None,
    n_images: int = 24,
    n_tuning: int = 6,
    budget: int = 24,
    methods: str = "all",
    metric: str = "average_precision[iou=0.5]",
    channel: str | None = None,
    voxel_um: float | None = None,
    polarity: Literal["bright", "dark"] | None = None,
    seed: int = 0,
    workers: int | None = None,
    resume: bool = False,
    quiet: bool = False,
) -> Path:
    """Tell which segmenter to trust on these cells, from unlabelled images alone.

    Fits a simulation to the images, makes images like them with exact labels, tunes every segmenter on a few, scores
    all on the others, and writes one page, `report.html`, with the same numbers as Parquet and JSON beside it.

    Parameters
    ----------
    images
        Folder of 2D images (PNG, TIFF).
    out
        Folder to make; must not hold anything yet.
    overrides
        Changes to the fitted recipe, such as `labels.touching=0.3`.
    reference
        Folder with labels of some or all of the images: the real images are scored too, and the report says how far
        the ranking on synthetic images agrees with the ranking on real ones.
    n_images
        Synthetic images to score on.
    n_tuning
        Synthetic images to tune on; none of them is scored.
    budget
        Configurations that tuning may try per method, counted in segmentations of all tuning images.
    methods
        Names of segmenters, separated by commas; all that are installed by default.
    metric
        Metric that decides the ranking, as it is named in the tables.
    channel
        Channel of colour images: red, green, blue, mean, or a number from 0.
    voxel_um
        Pixel size in micrometres, where the files do not say it.
    polarity
        Whether cells are brighter or darker than their surroundings; found from the images by default.
    seed
        Root of all random numbers.
    workers
        Processes; by default one per core. The result does not depend on it.
    resume
        Continue what an interrupted run of the same command left in the folder.
    quiet
        Show no progress.
    """
    from ...core.errors import InputError
    from ...data.source import read_any

    if reference is not None and Path(reference).resolve() == Path(images).resolve():
        raise InputError(
            f"{reference}: the reference is the images themselves; give the folder of their labels"
        )
    found = read_any(
        Path(images), Path(reference) if reference is not None else None, channel=channel, voxel_um=voxel_um
    )
    return run_benchmark(
        found if reference is not None else _without_labels(found),
        Path(out),
        overrides,
        n_images=n_images,
        n_tuning=n_tuning,
        budget=budget,
        methods=methods,
        metric=metric,
        polarity=polarity,
        seed=seed,
        workers=workers,
        resume=resume,
        quiet=quiet,
    )


def run_benchmark(
    found: "ImageSet",
    out: Path,
    overrides: Sequence[str] = (),
    *,
    n_images: int = 24,
    n_tuning: int = 6,
    budget: int = 24,
    methods: str = "all",
    metric: str = "average_precision[iou=0.5]",
    polarity: Literal["bright", "dark"] | None = None,
    seed: int = 0,
    workers: int | None = None,
    resume: bool = False,
    quiet: bool = False,
) -> Path:
    """`benchmark` on a set that was read already; its labels, where it has some, are the reference."""
    from ...core.errors import RecipeError
    from ...core.parallel import worker_pool
    from .._progress import Progress
    from .._run_folder import RunFolder
    from ..calibrate import check_overrides
    from ..report import write_report

    at_least = (
        ("n-images", n_images, 2),
        ("n-tuning", n_tuning, 1),
        ("budget", budget, 1),
        ("seed", seed, 0),
    )
    for name, value, least in at_least:
        if value < least:
            raise RecipeError(f"--{name} is {value}; at least {least} is needed")
    check_overrides(overrides)
    if any(text.replace(" ", "").startswith("n_samples=") for text in overrides):
        raise RecipeError("the number of synthetic images is --n-images here; leave out n_samples")
    _check_metric(metric)
    chosen = _chosen_methods(methods)
    progress = Progress(is_quiet=quiet)
    settings = {
        "command": "benchmark",
        "n_images": n_images,
        "n_tuning": n_tuning,
        "budget": budget,
        "methods": [m["kind"] for m in chosen],
        "metric": metric,
        "voxel_um": found.grid(0).voxel_um if found.grid(0).is_scale_known else None,
        "polarity": polarity,
        "seed": seed,
        "overrides": list(overrides),
    }
    found.check_pixels()
    _warn_of_blank_labels(found)
    run = RunFolder.open(out, settings, found.hashes(), is_resume=resume)
    if run.is_finished and run.has("report.html"):
        progress.say(f"{run.path}: is complete; nothing to do")
        return run.path / "report.html"
    with worker_pool(workers) as pool:
        recipe, scale = _calibrated(run, found, pool, progress, overrides, polarity, seed, n_images)
        tuning, synthetic = _datasets(run, recipe, n_tuning, pool, progress, found.hashes())
        tuned = _tuned(run, chosen, scale, tuning, budget, seed, pool, progress)
        for origin, data in (("synthetic", synthetic), ("real", _real_to_segment(found))):
            _segmented(run, origin, _without_labels(data), tuned, pool, progress)
        _responses(run, recipe, tuned, metric, seed, pool, progress)
    _evaluated(run, found, synthetic, tuned, metric, seed, progress)
    _record_images(run, found)
    page = write_report(run.path, quiet=quiet)
    run.finish()
    return page


def _record_images(run: "RunFolder", images: "ImageSet") -> None:
    """Say where the real images lie and how they are read, so that the report can show them later."""
    run.write_json(
        "tables/images.json",
        {
            "images": [
                {
                    "name": e.name,
                    "image": str(e.image.resolve()),
                    "labels": str(e.labels.resolve()) if e.labels else None,
                    "channel": e.channel,
                    "bit_depth": e.bit_depth,
                    "grid": e.grid.to_dict(),
                    "is_ours": e.is_ours,
                }
                for e in images.entries
            ]
        },
    )


def _warn_of_blank_labels(images: "ImageSet") -> None:
    """An image without cells is possible, but more often nobody has drawn in it yet."""
    labelled = [(e, e.load_labels()) for e in images.entries if e.labels]
    blank = [e.name for e, labels in labelled if labels is not None and not labels.any()]
    if blank:
        _log.warning(
            "%d of %d label images hold no cell, such as that of %s: whatever a method finds there counts as wrong, so "
            "take the files out if nobody labelled these images",
            len(blank),
            len(labelled),
            blank[0],
        )


def _check_metric(metric: str) -> None:
    from ...core.config import suggestion
    from ...core.errors import RecipeError
    from .scores import scored_metrics

    names = [m.name for m in scored_metrics()]
    if metric not in names:
        raise RecipeError(f"no metric is called {metric!r}; {suggestion(metric, names)}")


def _chosen_methods(methods: str) -> list[dict[str, Any]]:
    """Segmenters by name, with the line that installs what is missing."""
    from ...core.errors import RecipeError
    from ...segment.base import registry

    given = dict.fromkeys(n.strip() for n in methods.split(",") if n.strip())
    names = registry.names() if methods == "all" else list(given)
    if not names:
        raise RecipeError(
            f"--methods is {methods!r}; give names separated by commas: {', '.join(registry.names())}"
        )
    found = [(name, registry.get(name)) for name in names]
    return [
        {
            "kind": name,
            "headline": cls.headline(),
            "status": "not installed" if cls.missing() else "ok",
            "install": cls.missing(),
        }
        for name, cls in found
    ]


def _without_labels(images: "ImageSet") -> "ImageSet":
    """A dataset folder may have labels; without --reference they stay unread."""
    entries = tuple(dataclasses.replace(e, labels=None) for e in images.entries)
    return dataclasses.replace(images, entries=entries)


def _calibrated(
    run: "RunFolder",
    images: "ImageSet",
    pool: "WorkerPool",
    progress: "Progress",
    overrides: Sequence[str],
    polarity: Literal["bright", "dark"] | None,
    seed: int,
    n_images: int,
) -> tuple["Recipe", dict[str, Any]]:
    from ...io.tables import read_json
    from ...io.yaml import write_yaml
    from ...recipe import load_recipe, overridden
    from ..calibrate import fit_recipe, write_calibration

    if not run.has("calibration", "calibration.json"):
        fitted = fit_recipe(
            _without_labels(images),
            pool,
            progress,
            polarity=polarity,
            seed=seed,
            n_samples=n_images,
        )
        recipe = overridden(fitted.recipe, overrides)
        write_yaml(run.path / "recipe.yaml", recipe.to_dict())
        write_calibration(fitted, run.folder("calibration"), images)
    known = read_json(run.path / "calibration" / "calibration.json")
    return load_recipe(run.path / "recipe.yaml"), {
        "diameter_um": known["diameter_um"],
        "polarity": known["polarity"],
    }


def _datasets(
    run: "RunFolder",
    recipe: "Recipe",
    n_tuning: int,
    pool: "WorkerPool",
    progress: "Progress",
    inputs: dict[str, str],
) -> tuple["ImageSet", "ImageSet"]:
    """Synthetic images to tune on and others to score on."""
    from ..synthesize import make_dataset

    made = []
    wanted = {
        "tuning": recipe.model_copy(
            update={"name": "tuning", "n_samples": n_tuning, "first_sample": 500_000, "digits": 6}
        ),
        "synthetic": recipe,
    }
    for name, part in wanted.items():
        path = run.path / name
        # One that is there is checked by its checksums, and what is missing or damaged is made again.
        made.append(
            make_dataset(
                part,
                path,
                pool=pool,
                progress=progress,
                is_resume=path.exists(),
                inputs=inputs,
                what=f"synthesize: {name}",
            )
        )
    return made[0], made[1]


def _tuned(
    run: "RunFolder",
    chosen: list[dict[str, Any]],
    scale: dict[str, Any],
    tuning: "ImageSet",
    budget: int,
    seed: int,
    pool: "WorkerPool",
    progress: "Progress",
) -> list[dict[str, Any]]:
    """Every method with its tuned and its default configuration; what is not installed stays listed."""
    from ...core.rng import Key
    from ...io.tables import read_json
    from ...segment import tune
    from ...segment.base import registry
    from .scores import tuning_score

    if run.has("tables", "methods.json"):
        return read_json(run.path / "tables" / "methods.json")["methods"]
    samples = list(tuning)
    key = Key.from_seed(seed).child("benchmark", "tuning")
    result = []

    def tune_one(method: dict[str, Any]) -> dict[str, Any]:
        default = registry.get(method["kind"]).parse(scale, source=method["kind"])
        if method["status"] != "ok":
            return method
        found = tune(default, samples, tuning_score, key.child(method["kind"]), budget, pool.map)
        return {
            **method,
            "config": found.segmenter.to_dict(),
            "default_config": default.to_dict(),
            "tuning_score": found.score,
            "default_tuning_score": found.default_score,
            "n_trials": len(found.trials),
        }

    for method in progress.track(map(tune_one, chosen), "tune", len(chosen)):
        result.append(method)
    run.write_json("tables/methods.json", {"methods": result})
    return read_json(run.path / "tables" / "methods.json")["methods"]


def _real_to_segment(images: "ImageSet") -> "ImageSet":
    """All labelled images, and a few others spread over the set."""
    labelled = [i for i in range(len(images)) if images.has_labels(i)]
    others = [i for i in range(len(images)) if not images.has_labels(i)]
    step = max(len(others) / N_SHOWN, 1.0)
    shown = [others[int(k * step)] for k in range(min(N_SHOWN, len(others)))]
    return images.take(sorted([*labelled, *shown]))


def _segmented(
    run: "RunFolder",
    origin: str,
    images: "ImageSet",
    methods: list[dict[str, Any]],
    pool: "WorkerPool",
    progress: "Progress",
) -> None:
    """Run every method, tuned and as it comes, on every image; one record of outcomes per origin."""
    import pandas as pd

    from ...io.tables import write_parquet
    from .._measured_run import Job, Outcome, is_done, run_job

    jobs = []
    for method in methods:
        if method["status"] != "ok":
            continue
        for name, config in variants_of(method):
            folder = run.folder("segmentation", origin, name.replace(" (default)", "_default"))
            jobs += [Job(e, name, config, folder / f"{e.name}.tif") for e in images.entries]
    record = run.path / "tables" / f"outcomes_{origin}.parquet"
    earlier = {(o.method, o.image): o for o in _read_outcomes(record)}
    kept = {(j.method, j.entry.name) for j in jobs if is_done(j, earlier.get((j.method, j.entry.name)))}
    todo = [j for j in jobs if (j.method, j.entry.name) not in kept]
    if not todo and len(earlier) == len(jobs):
        return
    # Neighbouring jobs are of one method, so a process that ran it before has it warm.
    new = {
        (o.method, o.image): o
        for o in progress.track(pool.map(run_job, todo), f"segment: {origin}", len(todo))
    }
    run.folder("tables")
    columns = [field.name for field in dataclasses.fields(Outcome)]
    keys = [(j.method, j.entry.name) for j in jobs]
    rows = [dataclasses.asdict(new[key] if key in new else earlier[key]) for key in keys]
    table = pd.DataFrame(rows, columns=columns).astype({"error": "string"})
    write_parquet(record, table)


def _read_outcomes(record: Path) -> "list[Outcome]":
    """What an earlier run noted down; nothing where it did not come so far."""
    from ...io.tables import read_parquet
    from .._measured_run import Outcome

    if not record.exists():
        return []
    table = read_parquet(record)
    table["error"] = table["error"].astype(object).where(table["error"].notna(), None)
    return [Outcome(**{str(k): v for k, v in row.items()}) for row in table.to_dict(orient="records")]


def _responses(
    run: "RunFolder",
    recipe: "Recipe",
    methods: list[dict[str, Any]],
    metric: str,
    seed: int,
    pool: "WorkerPool",
    progress: "Progress",
) -> None:
    """Find where each method breaks when images get worse than the user's."""
    from ...core.rng import Key
    from ...io.tables import write_parquet
    from .response import response_curves
    from .scores import scored_metrics

    if run.has("tables", "response.parquet"):
        return
    chosen = next(m for m in scored_metrics() if m.name == metric)
    key = Key.from_seed(seed).child("benchmark", "response")
    curves = response_curves(recipe, methods, chosen, pool, progress, key)
    write_parquet(run.path / "tables" / "response.parquet", curves)


def variants_of(method: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and configuration of a method as tuned, and as it comes."""
    return [(method["kind"], method["config"]), (f"{method['kind']} (default)", method["default_config"])]


def prediction_path(run: Path, origin: str, method: str, image: str) -> Path:
    """Label file of one method on one image."""
    return run / "segmentation" / origin / method.replace(" (default)", "_default") / f"{image}.tif"


def _evaluated(
    run: "RunFolder",
    real: "ImageSet",
    synthetic: "ImageSet",
    methods: list[dict[str, Any]],
    metric: str,
    seed: int,
    progress: "Progress",
) -> None:
    """Score everything and draw the conclusions; always done anew, it takes seconds."""
    from ...core.rng import Key
    from .scores import conclude, score_all

    n = len(synthetic) + real.n_labelled
    scores = score_all(run.path, {"synthetic": synthetic, "real": real.labelled()}, methods, progress, n)
    conclude(run.path, scores, methods, metric, Key.from_seed(seed).child("benchmark", "statistics"))
