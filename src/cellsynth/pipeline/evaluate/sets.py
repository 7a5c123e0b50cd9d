"""Compare a set of images with a reference set."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from ...data.label_set import LabelSet
    from ...data.pictures import Pictures
    from ...evaluate.features import PictureSet
    from ...evaluate.realism.base import AbstractRealismMetric

DEFAULTS = ("statistics_distance", "frechet_distance", "kernel_distance", "precision", "recall")

IMAGES_AT_A_TIME = 16
"""Of each set in memory; what is kept of them is far smaller."""


def evaluate_sets(
    candidate: Path | str,
    reference: Path | str,
    *,
    candidate_labels: Path | str | None = None,
    reference_labels: Path | str | None = None,
    out: Path | str | None = None,
    metrics: str | Sequence[str] | None = None,
    data_range: str | float | tuple[float, float] | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Say how much a set of images, such as synthetic ones, resembles a reference set, such as real ones.

    The images of both sets need not show the same cells. Printed for every metric: the score with its interval over the
    images, and what it is made of.

    Parameters
    ----------
    candidate
        Folder of images or volumes (PNG, TIFF), or a dataset folder.
    reference
        The same for the reference; of the same kind: channels, and 2D or 3D.
    candidate_labels
        Labels of the candidates, for metrics that look at cells. By default those of a dataset folder.
    reference_labels
        The same for the reference.
    out
        Folder to make for `scores.parquet` (one row per metric and part) and `summary.json`. Without it the summary is
        only printed.
    metrics
        What to compute, separated by commas: `statistics_distance,precision`. `cellsynth metrics` lists what there is.
        By default the distances of statistics, Frechet and kernel, precision and recall, by statistics of microscopy.
    data_range
        Largest value that there can be, or lowest and highest, of both sets: `4095` or `-1,1`. By default each set has
        its own, which is known for 8-bit images and datasets; grey values are compared as shares of it.
    quiet
        Show no progress and print nothing.
    """
    import pandas as pd

    from ...core.rng import Key
    from ...data.pictures import read_pictures
    from ...evaluate.naming import parse_metrics
    from .._progress import Progress
    from .._run_folder import require_new
    from ._range import parse_range, range_of
    from ._result import LEVEL, listed, made, print_result, write_result

    out = require_new(out)
    chosen: list[AbstractRealismMetric] = parse_metrics(
        ",".join(DEFAULTS) if metrics is None else listed(metrics), "realism"
    )
    given = parse_range(data_range)
    sides = (
        _Side(read_pictures(Path(reference)), _find_labels(reference, reference_labels)),
        _Side(read_pictures(Path(candidate)), _find_labels(candidate, candidate_labels)),
    )
    limits = [range_of(given, side.pictures) for side in sides]
    _check_pairs(chosen, *sides)
    progress = Progress(is_quiet=quiet)
    with made(out) as folder:
        measured: dict[str, Any] = {}
        n_parts = _n_parts(*sides)
        for ours, theirs in progress.track(_in_parts(sides, n_parts, limits), "measure", n_parts):
            for metric in chosen:
                part = metric.measure(ours, theirs)
                measured[metric.name] = measured[metric.name] + part if metric.name in measured else part
        rows, parts = [], []
        for metric in progress.track(chosen, "compare", len(chosen)):
            key = Key.from_seed(0).child("evaluate", metric.name)
            interval = metric.interval(measured[metric.name], key=key, level=LEVEL)
            rows.append((metric.name, interval.value, interval.low, interval.high, interval.n, metric.unit))
            made_of = metric.parts(measured[metric.name])
            parts += [
                {"metric": metric.name, "part": name, "value": value}
                for name, value in {"": interval.value, **made_of}.items()
            ]
        summary = pd.DataFrame(rows, columns=["metric", "value", "low", "high", "n", "unit"])
        options = {
            "data_range": dict(zip(("reference", "candidate"), limits, strict=True)),
            "n_reference": len(sides[0].pictures),
            "n_candidate": len(sides[1].pictures),
        }
        write_result(folder, summary, chosen, options, {"scores": pd.DataFrame(parts)})
    print_result(summary, out, progress, quiet=quiet)
    if not quiet:
        _print_parts(parts)
    return summary


class _Side:
    """The images of one set, with their labels where there are any."""

    def __init__(self, pictures: "Pictures", labels: "LabelSet | None") -> None:
        from ...core.errors import InputError

        self.pictures, self.labels = pictures, labels
        missing = [] if labels is None else [n for n in pictures.names if n not in labels.files]
        if missing and labels is not None:
            raise InputError(
                f"{labels.source}: has no labels of {', '.join(missing[:4])}; names must be those of the images, but "
                "for the extension and `_labels`, `_mask` or the like"
            )

    def load_part(self, i: int, n_parts: int, limits: tuple[float, float]) -> "PictureSet":
        """Images of part `i`."""
        from ...core.errors import InputError
        from ...evaluate.features import PictureSet

        n = len(self.pictures)
        names = self.pictures.names[i * n // n_parts : (i + 1) * n // n_parts]
        try:
            return PictureSet(
                [self.pictures.load(name) for name in names],
                None if self.labels is None else [self.labels.load(name) for name in names],
                data_range=limits,
            )
        except InputError as error:
            first = self.pictures.headers[names[0]].path
            raise InputError(f"{self.pictures.source}, images from {first.name} on: {error}") from error


def _find_labels(images: Path | str, labels: Path | str | None) -> "LabelSet | None":
    from ...data.dataset import is_dataset, open_dataset
    from ...data.label_set import read_labels

    if labels is not None:
        return read_labels(Path(labels), side="reference")
    images = Path(images)
    if is_dataset(images) and (found := open_dataset(images)).n_labelled == len(found):
        return read_labels(images)
    return None


def _check_pairs(chosen: "Sequence[AbstractRealismMetric]", reference: _Side, candidate: _Side) -> None:
    """Metrics of pairs take image i with image i: there must be as many."""
    from ...core.errors import InputError

    paired = [metric.name for metric in chosen if metric.is_paired]
    if paired and len(reference.pictures) != len(candidate.pictures):
        raise InputError(
            f"{', '.join(paired)}: compares the images of both sets one by one, in the order of their names, and there "
            f"are {len(reference.pictures)} in {reference.pictures.source} and {len(candidate.pictures)} in "
            f"{candidate.pictures.source}"
        )


def _n_parts(reference: _Side, candidate: _Side) -> int:
    """Parts that both sets are measured in; every part has an image of each."""
    sizes = len(reference.pictures), len(candidate.pictures)
    return min(*sizes, -(-max(sizes) // IMAGES_AT_A_TIME))


def _in_parts(
    sides: tuple[_Side, _Side], n_parts: int, limits: Sequence[tuple[float, float]]
) -> "Iterator[tuple[PictureSet, PictureSet]]":
    for i in range(n_parts):
        yield sides[0].load_part(i, n_parts, limits[0]), sides[1].load_part(i, n_parts, limits[1])


def _print_parts(parts: list[dict[str, Any]]) -> None:
    import sys

    lines: dict[str, list[str]] = {}
    for part in parts:
        if part["part"]:
            lines.setdefault(part["metric"], []).append(f"{part['part']} {part['value']:.4g}")
    for metric, words in lines.items():
        sys.stdout.write(f"{metric}: {', '.join(words)}\n")
