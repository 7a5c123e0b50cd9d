"""Score points against reference points."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ...data.point_set import PointSet, PointTable
    from ...evaluate.detection import AbstractDetectionMetric, PointPair

DEFAULTS = ("precision", "recall", "f1", "localisation_error", "count_error")
WITH_CLASSES = ("class_f1", "class_accuracy")
"""Also by default, where both sides have classes."""


def evaluate_points(
    prediction: Path | str,
    reference: Path | str,
    *,
    out: Path | str | None = None,
    metrics: str | Sequence[str] | None = None,
    radius: float = 12.0,
    radius_unit: Literal["px", "um"] = "px",
    voxel_um: str | tuple[float, ...] | None = None,
    columns: str | Sequence[str] | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Score points, such as spots or the centres of cells, against reference points of the same images.

    Points match one to one within a radius. Printed for every metric: the mean over images with its interval, over how
    many, and the pooled score, for which the counts of all images are added first.

    Parameters
    ----------
    prediction
        Folder of tables (CSV, TSV, TXT, Parquet), one per image; one table with a column image; or label images, whose
        centroids are the points. Positions are columns y and x (and z) in pixels, or y_um and x_um; a column class is
        used by metrics of classes.
    reference
        The same for the reference.
    out
        Folder to make for the tables: `scores.parquet` (one row per image and metric), `points.parquet` (one row per
        point, with its partner) and `summary.json`. Without it the summary is only printed.
    metrics
        What to compute, separated by commas: `f1,localisation_error`. `cellsynth metrics` lists what there is. By
        default precision, recall, F1, the distance of matched points and the error of the count, and those of classes
        where both sides have classes.
    radius
        Largest distance of two points that may match, for all metrics that do not say their own.
    radius_unit
        Unit of the radius.
    voxel_um
        Size of a pixel in micrometres, one number or one per axis: `0.5` or `2,0.5,0.5`. By default what the files say;
        without it lengths are in pixels.
    columns
        Names of the columns of text files without a header, in order, separated by commas: `x,y,class`.
    quiet
        Show no progress and print nothing.
    """
    import pandas as pd

    from ...data.point_set import pair_points, read_points
    from .._lengths import parse_voxel
    from .._progress import Progress
    from .._run_folder import require_new
    from ._result import ImageScores, made, print_result, write_result

    out = require_new(out)
    chosen = _chosen_metrics(metrics, radius, radius_unit)
    given, names_of_columns = parse_voxel(voxel_um), _parse_columns(columns)
    predicted = read_points(Path(prediction), columns=names_of_columns)
    truth = read_points(Path(reference), columns=names_of_columns)
    predicted = predicted.as_partner_of(truth)
    names = pair_points(predicted, truth)
    pairs = _Pairs(predicted, truth, given)
    if metrics is None and pairs.have_classes:
        chosen = [*chosen, *_with_radius(WITH_CLASSES, radius, radius_unit)]
    scores, tables = ImageScores(chosen), []
    progress = Progress(is_quiet=quiet)
    with made(out) as folder:
        for name in progress.track(names, "evaluate", len(names)):
            pair = pairs.load(name)
            _check_units(pair, chosen, name)
            scores.add(name, {metric.name: metric.measure(pair) for metric in chosen})
            tables.append(_point_table(pair, radius, radius_unit).assign(image=name))
        summary = scores.summary({metric.name: metric.unit for metric in chosen})
        options = {"radius": radius, "radius_unit": radius_unit, "voxel_um": given}
        write_result(
            folder,
            summary,
            chosen,
            options,
            {"scores": scores.table, "points": pd.concat(tables, ignore_index=True)},
            classes=pairs.class_names,
        )
    print_result(summary, out, progress, quiet=quiet)
    return summary


def _chosen_metrics(
    metrics: str | Sequence[str] | None, radius: float, unit: Literal["px", "um"]
) -> "list[AbstractDetectionMetric]":
    from ...core.errors import RecipeError
    from ._result import listed

    if not 0 < radius < float("inf"):
        raise RecipeError(f"--radius is {radius}; needs a positive number")
    return _with_radius((listed(metrics),) if metrics is not None else DEFAULTS, radius, unit)


def _with_radius(
    names: Sequence[str], radius: float, unit: Literal["px", "um"]
) -> "list[AbstractDetectionMetric]":
    """Metrics with this radius, but for those that name their own."""
    from ...evaluate.naming import parse_metrics

    common: Mapping[str, Any] = {"radius": radius, "radius_unit": unit}
    return [
        metric.model_copy(update=dict(common))
        if "radius" in type(metric).model_fields and not metric.model_fields_set & set(common)
        else metric
        for metric in parse_metrics(",".join(names), "detection")
    ]


def _parse_columns(columns: str | Sequence[str] | None) -> list[str] | None:
    from ...core.errors import RecipeError

    if columns is None:
        return None
    names = [name.strip() for name in (columns.split(",") if isinstance(columns, str) else columns)]
    if not all(names) or len(set(names)) < len(names):
        raise RecipeError(f"--columns is {columns}; needs different names, separated by commas: x,y,class")
    return names


def _check_units(pair: "PointPair", chosen: "list[AbstractDetectionMetric]", name: str) -> None:
    from ...core.errors import InputError

    odd = [m.name for m in chosen if getattr(m, "radius_unit", pair.unit) != pair.unit]
    if odd and pair.voxel_um is None:
        raise InputError(
            f"{name}: positions are in {pair.unit}, and {odd[0]} has its radius in the other unit; give the size of a "
            f"pixel (--voxel-um), or the radius in {pair.unit} (--radius-unit {pair.unit})"
        )


class _Pairs:
    """The points of both sides in one unit, and their classes numbered alike."""

    def __init__(self, predicted: "PointSet", truth: "PointSet", voxel_um: tuple[float, ...] | None) -> None:
        self._predicted, self._truth, self._voxel_um = predicted, truth, voxel_um
        sides = [list(side.tables.values()) for side in (predicted, truth)]
        self.have_classes = all(
            any(table.classes is not None for table in side) or labelled.label_classes is not None
            for side, labelled in zip(sides, (predicted, truth), strict=True)
        )
        texts = {
            str(value)
            for table in (*sides[0], *sides[1])
            if table.classes is not None and table.classes.dtype == object
            for value in table.classes
        }
        self.class_names: dict[str, int] = {text: i for i, text in enumerate(sorted(texts), start=1)}
        """Numbers of classes that have names; empty where classes are numbers."""

    def load(self, name: str) -> "PointPair":
        """Both sides of an image."""
        from ...core.errors import InputError
        from ...evaluate.detection import PointPair

        first, second = self._truth.load(name), self._predicted.load(name)
        first, second = first or _none_like(second), second or _none_like(first)
        if first.ndim != second.ndim:
            raise InputError(
                f"{name}: points have {second.ndim} coordinates in the prediction and {first.ndim} in the reference; "
                "both must be of the same image"
            )
        voxel_um = self._voxel_of(name, first.ndim)
        unit = first.unit if first.unit == second.unit else "px"
        return PointPair(
            _in_unit(first, unit, voxel_um, name),
            _in_unit(second, unit, voxel_um, name),
            unit=unit,
            voxel_um=voxel_um,
            reference_classes=self._classes_of(first, name) if self.have_classes else None,
            prediction_classes=self._classes_of(second, name) if self.have_classes else None,
        )

    def _voxel_of(self, name: str, ndim: int) -> tuple[float, ...] | None:
        from ...core.errors import InputError

        given = self._voxel_um
        if given is not None and len(given) not in (1, ndim):
            raise InputError(
                f"--voxel-um has {len(given)} numbers and the points of {name} {ndim} coordinates; give "
                "one, or one per axis"
            )
        if given is not None:
            return given * ndim if len(given) == 1 else given
        known = self._truth.voxel_um(name) or self._predicted.voxel_um(name)
        return known[-ndim:] if known is not None else None

    def _classes_of(self, table: "PointTable", name: str) -> "np.ndarray":
        import numpy as np

        from ...core.errors import InputError

        if table.classes is None:
            raise InputError(
                f"{name}: its points have no class, and those of other images have; give all or none"
            )
        if not self.class_names:
            return table.classes
        if table.classes.dtype != object and len(table.classes):
            raise InputError(
                f"{name}: classes are numbers, and elsewhere they have names ({', '.join(self.class_names)}); use one"
            )
        return np.array([self.class_names[str(value)] for value in table.classes], np.int64)


def _none_like(other: "PointTable | None") -> "PointTable":
    import numpy as np

    from ...data.point_set import PointTable

    assert other is not None  # one side names the image
    return PointTable(np.zeros((0, other.ndim)), other.unit, np.zeros(0, np.int64))


def _in_unit(
    table: "PointTable", unit: Literal["px", "um"], voxel_um: tuple[float, ...] | None, name: str
) -> "np.ndarray":
    import numpy as np

    from ...core.errors import InputError

    if table.unit == unit:
        return table.positions
    if voxel_um is None:
        raise InputError(
            f"{name}: positions are in um on one side and in pixels on the other; give the size of a pixel: --voxel-um"
        )
    return table.positions / np.asarray(voxel_um)


def _point_table(pair: "PointPair", radius: float, unit: Literal["px", "um"]) -> "pd.DataFrame":
    """One row per point of both sides: position, class, and its partner within the radius (-1 where there is none)."""
    import numpy as np
    import pandas as pd

    matching = pair.match(radius, unit)
    sides = []
    for side, positions, classes, own, partner in (
        ("reference", pair.reference, pair.reference_classes, matching.reference, matching.prediction),
        ("prediction", pair.prediction, pair.prediction_classes, matching.prediction, matching.reference),
    ):
        found, distance = np.full(len(positions), -1), np.full(len(positions), np.nan)
        found[own], distance[own] = partner, matching.distances
        columns: dict[str, Any] = {"side": side, "point": np.arange(len(positions))}
        columns |= {
            f"{axis}_{pair.unit}": positions[:, i] for i, axis in enumerate("zyx"[-positions.shape[1] :])
        }
        if classes is not None:
            columns["class_id"] = classes
        sides.append(pd.DataFrame({**columns, "partner": found, f"distance_{unit}": distance}))
    return pd.concat(sides, ignore_index=True)
