"""Score images against aligned reference images."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ...data.pictures import Pictures
    from ...evaluate.image_quality import AbstractImageMetric, ImagePair

DEFAULTS = ("psnr", "ssim", "nrmse")
IN_2D = ("haarpsi", "mdsi")
"""Also by default, where no image is a volume."""


def evaluate_images(
    candidate: Path | str,
    reference: Path | str,
    *,
    out: Path | str | None = None,
    metrics: str | Sequence[str] | None = None,
    data_range: str | float | tuple[float, float] | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Score images against reference images of the same place, aligned pixel by pixel.

    Only aligned images make sense: restored, translated back, or rendered from the same scene. For images of other
    cells see evaluate-sets. Printed for every metric: the mean over images with its interval, over how many, and the
    pooled score.

    Parameters
    ----------
    candidate
        Folder of images or volumes (PNG, TIFF), one image, or a dataset folder.
    reference
        The same for the reference; names must be equal.
    out
        Folder to make for the tables: `scores.parquet` (one row per image and metric) and `summary.json`. Without it
        the summary is only printed.
    metrics
        What to compute, separated by commas: `psnr,ms_ssim`. `cellsynth metrics` lists what there is. By default psnr,
        ssim and nrmse, and of images in 2D haarpsi and mdsi.
    data_range
        Largest value that there can be, or lowest and highest: `4095` or `-1,1`. Known for 8-bit images and datasets;
        never taken from the values, for then scores of images would not compare.
    quiet
        Show no progress and print nothing.
    """
    from ...data.pictures import pair_pictures, read_pictures
    from .._progress import Progress
    from .._run_folder import require_new
    from ._range import parse_range, range_of
    from ._result import ImageScores, made, print_result, write_result

    out = require_new(out)
    chosen = _chosen_metrics(metrics)
    given = parse_range(data_range)
    candidates, references = read_pictures(Path(candidate)), read_pictures(Path(reference))
    candidates = candidates.as_partner_of(references)
    names = pair_pictures(candidates, references)
    limits = range_of(given, candidates, references)
    chosen = chosen or _defaults(references)
    scores = ImageScores(chosen)
    progress = Progress(is_quiet=quiet)
    with made(out) as folder:
        for name in progress.track(names, "evaluate", len(names)):
            pair = _load_pair(candidates, references, name, limits)
            scores.add(name, {metric.name: metric.measure(pair) for metric in chosen})
        summary = scores.summary({metric.name: metric.unit for metric in chosen})
        write_result(folder, summary, chosen, {"data_range": limits}, {"scores": scores.table})
    print_result(summary, out, progress, quiet=quiet)
    return summary


def _chosen_metrics(metrics: str | Sequence[str] | None) -> "list[AbstractImageMetric]":
    from ...evaluate.naming import parse_metrics
    from ._result import listed

    return [] if metrics is None else parse_metrics(listed(metrics), "image_quality")


def _defaults(pictures: "Pictures") -> "list[AbstractImageMetric]":
    from ...evaluate.naming import parse_metrics

    is_flat = not any(set("ZQ") & set(header.axes) for header in pictures.headers.values())
    return parse_metrics(",".join((*DEFAULTS, *IN_2D) if is_flat else DEFAULTS), "image_quality")


def _load_pair(
    candidates: "Pictures", references: "Pictures", name: str, limits: tuple[float, float]
) -> "ImagePair":
    from ...core.errors import InputError
    from ...evaluate.image_quality import ImagePair

    try:
        return ImagePair(references.load(name), candidates.load(name), limits)
    except InputError as error:
        raise InputError(f"{candidates.headers[name].path}: {error}") from error
