"""Segment a folder of images with one method."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal


def segment_images(
    images: Path | str,
    out: Path | str,
    overrides: Sequence[str] = (),
    *,
    method: str = "h_maxima",
    diameter: float | None = None,
    tuned: Path | None = None,
    channel: str | None = None,
    voxel_um: float | None = None,
    polarity: Literal["bright", "dark"] | None = None,
    workers: int | None = None,
    resume: bool = False,
    quiet: bool = False,
) -> Path:
    """Segment images with one method and write a label image for each.

    Parameters
    ----------
    images
        Folder of 2D images (PNG, TIFF), one image, or a dataset folder.
    out
        Folder for the labels; must not hold anything yet. `segmentation.json` in it says what was done.
    overrides
        Fields of the method, such as `smoothing=0.1`.
    method
        Name of a segmenter.
    diameter
        Typical diameter of a cell, in um where the pixel size is known, else in pixels; estimated by default.
    tuned
        Folder of a finished benchmark: take the fields that were tuned for the method there.
    channel
        Channel of colour images: red, green, blue, mean, or a number from 0.
    voxel_um
        Pixel size in micrometres, where the files do not say it.
    polarity
        Whether cells are brighter or darker than their surroundings; found from the images by default.
    workers
        Processes; by default one per core. The result does not depend on it.
    resume
        Continue what an interrupted run with the same settings left in the folder.
    quiet
        Show no progress.
    """
    import dataclasses

    from ..calibrate.first_look import first_impression
    from ..core.errors import InputError
    from ..core.parallel import worker_pool
    from ..data.source import read_any
    from ..io.tables import read_json
    from ..recipe import parse_overrides
    from ..segment.base import registry
    from ._measured_run import Job, earlier_outcome, has_labels, run_job
    from ._progress import Progress
    from ._run_folder import RunFolder

    segmenter = registry.get(method)
    found = read_any(Path(images), channel=channel, voxel_um=voxel_um)
    progress = Progress(is_quiet=quiet)
    with worker_pool(workers) as pool:
        fields: dict[str, Any] = {"kind": method}
        if tuned is not None:
            record = Path(tuned) / "tables" / "methods.json"
            if not record.is_file():
                raise InputError(f"{tuned}: holds no benchmark that got as far as tuning; give its folder")
            known = read_json(record)
            chosen = next((m for m in known["methods"] if m["kind"] == method and m.get("config")), None)
            if chosen is None:
                raise InputError(
                    f"{tuned}: holds no tuned {method}; it has {[m['kind'] for m in known['methods']]}"
                )
            fields = dict(chosen["config"])
        if diameter is not None:
            fields["diameter_um"] = diameter
        if polarity is not None:
            fields["polarity"] = polarity
        if "diameter_um" not in fields or "polarity" not in fields:
            guess = first_impression(found, pool, polarity=polarity)
            fields.setdefault("diameter_um", guess.diameter_um)
            fields.setdefault("polarity", guess.polarity)
        fields |= parse_overrides(overrides)
        config = segmenter.parse(fields, source=method).to_dict()
        missing = segmenter.missing()
        if missing:
            from ..core.errors import MissingToolError

            raise MissingToolError(missing)
        folder = RunFolder.open(
            Path(out), {"command": "segment", "config": config}, found.hashes(), is_resume=resume
        )
        jobs = [Job(e, method, config, folder.path / f"{e.name}.tif") for e in found.entries]
        todo = [job for job in jobs if not has_labels(job)]
        if folder.is_finished and not todo:
            progress.say(f"{folder.path}: is complete; nothing to do")
            return folder.path
        made = list(progress.track(pool.map(run_job, todo), f"segment: {method}", len(todo)))
    new = {outcome.image: outcome for outcome in made}
    outcomes = [new.get(job.entry.name) or earlier_outcome(job) for job in jobs]
    failed = [o for o in outcomes if o.error]
    folder.write_json("segmentation.json", {"outcomes": [dataclasses.asdict(o) for o in outcomes]})
    if failed:
        raise InputError(
            f"{method} failed on {len(failed)} of {len(outcomes)} images, first on {failed[0].image}: "
            f"{failed[0].error}; the labels of the others are in {out}"
        )
    folder.finish()
    return folder.path
