"""The main job: calibrate, synthesize, tune, segment, evaluate, report.

One module per stage, in the order of the data: `real_images`, `calibration`, `datasets`, `tuning`, `segmentation`,
`response`, `scores`; `options` holds what was asked for, and `damage` looks after a run that is continued. They are
imported when a benchmark runs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from ...data.image_set import ImageSet


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
        Processes or threads; by default one per core. The result does not depend on it.
    resume
        Continue what an interrupted run of the same command left in the folder.
    quiet
        Show no progress.
    """
    from ...core.errors import InputError
    from ...data.source import read_any
    from .real_images import without_labels

    if reference is not None and Path(reference).resolve() == Path(images).resolve():
        raise InputError(
            f"{reference}: the reference is the images themselves; give the folder of their labels"
        )
    found = read_any(
        Path(images), Path(reference) if reference is not None else None, channel=channel, voxel_um=voxel_um
    )
    return run_benchmark(
        # A dataset folder may have labels; without --reference they stay unread.
        found if reference is not None else without_labels(found),
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
    workers: int | None = None,
    resume: bool = False,
    quiet: bool = False,
    **given: Any,
) -> Path:
    """`benchmark` on a set that was read already; its labels, where it has some, are the reference.

    `given` are fields of `Options`.
    """
    from ...core.parallel import worker_pool
    from .._progress import Progress
    from .._run_folder import RunFolder
    from ..report import write_report
    from .calibration import calibrated
    from .damage import reopen_if_damaged
    from .datasets import datasets
    from .options import Options, Work
    from .real_images import record_images, to_segment, warn_of_blank_labels
    from .response import responses
    from .scores import evaluated
    from .segmentation import segmented
    from .tuning import tuned

    options, progress = Options(tuple(overrides), **given), Progress(is_quiet=quiet)
    options.check()
    found.check_pixels()
    warn_of_blank_labels(found)
    run = RunFolder.open(out, options.settings(found), found.hashes(), is_resume=resume)
    reopen_if_damaged(run)
    if run.is_finished and run.has("report.html"):
        progress.say(f"{run.path}: is complete; nothing to do")
        return run.path / "report.html"
    with run.left_only_with_results(), worker_pool(workers) as pool:
        work = Work(run, options, pool, progress)
        recipe, scale = calibrated(work, found)
        tuning, synthetic = datasets(work, recipe, found.hashes())
        methods = tuned(work, scale, tuning)
        segmented(work, "synthetic", synthetic, methods)
        segmented(work, "real", to_segment(found), methods)
        responses(work, recipe, methods)
    evaluated(work, found, synthetic, methods)
    record_images(run, found)
    run.finish()  # first, as the page lists what there is
    return write_report(run.path, quiet=quiet)
