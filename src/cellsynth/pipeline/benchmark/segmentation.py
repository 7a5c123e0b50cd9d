"""From images and methods to labels on disk, with a record of time, memory and failures."""

import dataclasses
from pathlib import Path
from typing import Any

import pandas as pd

from ...data.image_set import ImageSet
from ...io.tables import read_parquet, write_parquet
from .._measured_run import Job, Outcome, died, is_done, run_job
from .options import Work
from .real_images import without_labels
from .tuning import variants_of


def segmented(work: Work, origin: str, images: ImageSet, methods: list[dict[str, Any]]) -> None:
    """Run every method, tuned and as it comes, on every image; one record of outcomes per origin."""
    jobs = _jobs(work, origin, without_labels(images), methods)
    record = _record(work.run.path, origin)
    earlier = {(o.method, o.image): o for o in _read_outcomes(record)}
    kept = {(j.method, j.entry.name) for j in jobs if is_done(j, earlier.get((j.method, j.entry.name)))}
    todo = [j for j in jobs if (j.method, j.entry.name) not in kept]
    if not todo and len(earlier) == len(jobs):
        return
    # Neighbouring jobs are of one method, so a process that ran it before has it warm.
    new = {
        (o.method, o.image): o
        for o in work.progress.track(work.pool.map(run_job, todo, died), f"segment: {origin}", len(todo))
    }
    keys = [(j.method, j.entry.name) for j in jobs]
    work.run.folder("tables")
    _write_outcomes(record, [new[key] if key in new else earlier[key] for key in keys])


def prediction_path(run: Path, origin: str, method: str, image: str) -> Path:
    """Label file of one method on one image."""
    return run.joinpath(*_folder_of(origin, method)) / f"{image}.tif"


def failed_everywhere(run: Path, origin: str) -> set[str]:
    """Methods that failed on every image of an origin."""
    outcomes = _read_outcomes(_record(run, origin))
    return {o.method for o in outcomes} - {o.method for o in outcomes if not o.error}


def _folder_of(origin: str, method: str) -> tuple[str, ...]:
    return "segmentation", origin, method.replace(" (default)", "_default")


def _jobs(work: Work, origin: str, images: ImageSet, methods: list[dict[str, Any]]) -> list[Job]:
    jobs = []
    for method in methods:
        if method["status"] != "ok":
            continue
        for name, config in variants_of(method):
            folder = work.run.folder(*_folder_of(origin, name))
            jobs += [Job(e, name, config, folder / f"{e.name}.tif") for e in images.entries]
    return jobs


def _record(run: Path, origin: str) -> Path:
    return run / "tables" / f"outcomes_{origin}.parquet"


def _read_outcomes(record: Path) -> list[Outcome]:
    """What an earlier run noted down; nothing where it did not come so far."""
    if not record.exists():
        return []
    table = read_parquet(record)
    table["error"] = table["error"].astype(object).where(table["error"].notna(), None)
    return [Outcome(**{str(k): v for k, v in row.items()}) for row in table.to_dict(orient="records")]


def _write_outcomes(record: Path, outcomes: list[Outcome]) -> None:
    columns = [field.name for field in dataclasses.fields(Outcome)]
    table = pd.DataFrame([dataclasses.asdict(o) for o in outcomes], columns=columns)
    write_parquet(record, table.astype({"error": "string"}))
