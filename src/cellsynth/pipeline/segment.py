"""Segment a folder of images with one method."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ..core.parallel import WorkerPool
    from ..data.image_set import ImageSet
    from ..segment.base import AbstractSegmenter
    from ._progress import Progress
    from ._run_folder import RunFolder


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
        Typical diameter of a cell, in micrometres where the pixel size is known, else in pixels; estimated by default.
    tuned
        Folder of a finished benchmark: take the fields that were tuned for the method there.
    channel
        Channel of colour images: red, green, blue, mean, or a number from 0.
    voxel_um
        Pixel size in micrometres, where the files do not say it.
    polarity
        Whether cells are brighter or darker than their surroundings; found from the images by default.
    workers
        Processes or threads; by default one per core. The result does not depend on it.
    resume
        Continue what an interrupted run with the same settings left in the folder.
    quiet
        Show no progress.
    """
    from ..core.parallel import worker_pool
    from ..data.source import read_any
    from ..segment.base import registry
    from ._progress import Progress
    from ._run_folder import RunFolder

    segmenter = registry.get(method)
    found = read_any(Path(images), channel=channel, voxel_um=voxel_um)
    _warn_of_labels(found)
    given: dict[str, Any] = {"diameter_um": diameter, "polarity": polarity}
    fields = _tuned_fields(tuned, method) if tuned is not None else {}
    fields |= {name: value for name, value in given.items() if value is not None}
    progress = Progress(is_quiet=quiet)
    with worker_pool(workers) as pool:
        config = _config(segmenter, found, fields, overrides, pool)
        settings = {"command": "segment", "config": config}
        folder = RunFolder.open(Path(out), settings, found.hashes(), is_resume=resume)
        with folder.left_only_with_results():
            _segment(folder, method, config, found, pool, progress)
    return folder.path


_N_LOOKED_AT = 8


def _warn_of_labels(images: "ImageSet") -> None:
    """A folder of labels instead of images gives labels that look like a result."""
    import logging

    from ..data.label_file import looks_like_labels

    some = images.entries[:: max(len(images) // _N_LOOKED_AT, 1)]
    alike = [e for e in some if not e.is_ours and looks_like_labels(e.load().image[0])]
    if 2 * len(alike) > len(some):
        logging.getLogger(__name__).warning(
            "%s: these look like label images or masks and no pictures of cells, such as %s: flat regions of one value "
            "each; give the folder of the images that they were made from",
            images.source,
            alike[0].image.name,
        )


def _tuned_fields(benchmark: Path, method: str) -> dict[str, Any]:
    """Fields of a method as a benchmark tuned them."""
    from ..core.errors import InputError
    from ..io.tables import read_json

    record = Path(benchmark) / "tables" / "methods.json"
    if not record.is_file():
        raise InputError(f"{benchmark}: holds no benchmark that got as far as tuning; give its folder")
    methods = read_json(record)["methods"]
    chosen = next((m for m in methods if m["kind"] == method and m.get("config")), None)
    if chosen is None:
        raise InputError(f"{benchmark}: holds no tuned {method}; it has {[m['kind'] for m in methods]}")
    return dict(chosen["config"])


def _config(
    segmenter: "type[AbstractSegmenter]",
    images: "ImageSet",
    fields: dict[str, Any],
    overrides: Sequence[str],
    pool: "WorkerPool",
) -> dict[str, Any]:
    """Configuration of the method; size and polarity of cells are estimated where nobody said them."""
    from ..calibrate.first_look import first_impression
    from ..core.errors import MissingToolError
    from ..recipe import parse_overrides

    if "diameter_um" not in fields or "polarity" not in fields:
        guess = first_impression(images, pool, polarity=fields.get("polarity"))
        fields = {"diameter_um": guess.diameter_um, "polarity": guess.polarity, **fields}
    kind = str(segmenter.model_fields["kind"].default)
    config = segmenter.parse({"kind": kind, **fields, **parse_overrides(overrides)}, source=kind).to_dict()
    missing = segmenter.missing()
    if missing:
        raise MissingToolError(missing)
    return config


def _segment(
    folder: "RunFolder",
    method: str,
    config: dict[str, Any],
    images: "ImageSet",
    pool: "WorkerPool",
    progress: "Progress",
) -> None:
    """Segment what is not segmented yet, and note down what became of every image."""
    import dataclasses

    from ..core.errors import InputError
    from ._measured_run import Job, died, earlier_outcome, has_labels, run_job

    if folder.is_finished:
        damaged = folder.damaged()
        if not damaged:
            progress.say(f"{folder.path}: is complete; nothing to do")
            return
        folder.reopen(damaged)
    jobs = [Job(e, method, config, folder.path / f"{e.name}.tif") for e in images.entries]
    todo = [job for job in jobs if not has_labels(job)]
    made = progress.track(pool.map(run_job, todo, died), f"segment: {method}", len(todo))
    new = {outcome.image: outcome for outcome in made}
    outcomes = [new.get(job.entry.name) or earlier_outcome(job) for job in jobs]
    folder.write_json("segmentation.json", {"outcomes": [dataclasses.asdict(o) for o in outcomes]})
    failed = [o for o in outcomes if o.error]
    if failed:
        raise InputError(
            f"{method} failed on {len(failed)} of {len(outcomes)} images, first on {failed[0].image}: "
            f"{failed[0].error}; the labels of the others are in {folder.path}"
        )
    folder.finish()
