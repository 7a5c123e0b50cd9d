"""Score labels against reference labels."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ...core.blocks import BlockWork
    from ...data.class_table import ClassTables
    from ...data.label_file import LabelNotes
    from ...data.label_set import LabelSet
    from ...evaluate.segmentation import AbstractMetric, LabelPair

VoxelSize = tuple[float, ...]


def evaluate_labels(
    prediction: Path | str,
    reference: Path | str,
    *,
    out: Path | str | None = None,
    metrics: str | Sequence[str] | None = None,
    ignore_border: bool = False,
    min_area_px: int = 0,
    voxel_um: str | VoxelSize | None = None,
    prediction_classes: Path | str | None = None,
    reference_classes: Path | str | None = None,
    scheduler: str = "threads",
    workers: int | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Score label images or volumes against reference labels of the same names.

    Printed for every metric: the mean over images with its interval, over how many, and the pooled score, for which
    the counts of all images are added first, so that every object weighs the same.

    Parameters
    ----------
    prediction
        Folder of label images or volumes (PNG, TIFF, OME-Zarr), one of these, a dataset folder, or a folder of the Cell
        Tracking Challenge, such as 01_RES. OME-Zarr may be larger than memory: it is measured block by block.
    reference
        The same for the reference, of the challenge 01_GT (its SEG where there is one), 01_GT/SEG or 01_GT/TRA.
    out
        Folder to make for the tables: `scores.parquet` (one row per image and metric), `objects.parquet` (one row per
        object) and `summary.json`. Without it the summary is only printed.
    metrics
        What to compute, separated by commas: `dice,f1[iou=0.7]`. `cellsynth metrics` lists what there is. By default
        those of a benchmark.
    ignore_border
        Leave out cells that touch the border of the image, and the predictions that belong to them.
    min_area_px
        Leave out cells of fewer pixels, and the predictions that belong to them.
    voxel_um
        Size of a pixel in micrometres, one number or one per axis: `0.5` or `2,0.5,0.5`. By default what the files say;
        without it lengths are in pixels.
    prediction_classes
        Class of every predicted object, for metrics of classes such as mpq: a table (CSV, Parquet) with the columns
        image, id and class, or a folder with a table per image. By default those of a dataset's simulated objects.
    reference_classes
        The same for the objects of the reference.
    scheduler
        Who works on the blocks of OME-Zarr volumes: `threads` of this machine, or the address of your own Dask cluster,
        such as tcp://host:8786, whose workers see the same files. The numbers are the same.
    workers
        Processes or threads; by default one per core. The result does not depend on it.
    quiet
        Show no progress and print nothing.
    """
    import pandas as pd

    from ...core.blocks import BlockWork
    from ...core.errors import InputError
    from ...data.label_file import LabelNotes
    from ...data.label_set import pair_labels, read_labels
    from ...evaluate.objects import object_table
    from ...evaluate.table import measure_pair
    from .._lengths import parse_voxel
    from .._progress import Progress
    from .._run_folder import require_new
    from ._result import ImageScores, made, print_result, write_result

    out = require_new(out)
    chosen = _chosen_metrics(metrics)
    given = parse_voxel(voxel_um)
    _check_area(min_area_px)
    work = BlockWork(scheduler, workers)
    predicted = read_labels(Path(prediction), side="result")
    truth = read_labels(Path(reference), side="reference")
    predicted = predicted.as_partner_of(truth)
    names = pair_labels(predicted, truth)
    classes = (
        _find_classes(predicted, prediction_classes, "prediction", chosen),
        _find_classes(truth, reference_classes, "reference", chosen),
    )
    scales = _Scales(given, is_needed=any(metric.unit == "um" for metric in chosen))
    scores, objects = ImageScores(chosen), []
    notes = (LabelNotes(), LabelNotes())
    progress = Progress(is_quiet=quiet)
    with made(out) as folder:
        for name in progress.track(names, "evaluate", len(names)):
            pair = _load_pair(
                predicted, truth, name, scales, ignore_border, min_area_px, notes, classes, work
            )
            try:
                scores.add(name, measure_pair(pair, chosen))
            except InputError as error:
                raise InputError(f"{name}: {error}") from error
            objects.append(object_table(pair).assign(image=name))
        for labels, odd in zip((predicted, truth), notes, strict=True):
            odd.tell(labels.source, len(labels))
        summary = scores.summary({m.name: scales.unit if m.unit == "um" else m.unit for m in chosen})
        options = {"ignore_border": ignore_border, "min_area_px": min_area_px, "voxel_um": given}
        tables = {"scores": scores.table, "objects": pd.concat(objects, ignore_index=True)}
        write_result(folder, summary, chosen, options, tables)
    print_result(summary, out, progress, quiet=quiet)
    return summary


def _chosen_metrics(metrics: str | Sequence[str] | None) -> "list[AbstractMetric]":
    from ...evaluate.naming import parse_metrics
    from ..benchmark.scores import scored_metrics
    from ._result import listed

    return scored_metrics() if metrics is None else parse_metrics(listed(metrics))


def _find_classes(
    labels: "LabelSet", given: Path | str | None, side: str, chosen: "list[AbstractMetric]"
) -> "ClassTables | None":
    """Classes of the objects of one side: those that were given, or of a dataset of simulated objects."""
    from ...core.errors import RecipeError
    from ...data.class_table import read_classes
    from ...data.dataset import has_objects, is_dataset

    if given is not None:
        found = read_classes(Path(given))
        found.check_names(labels.names)
        return found
    if is_dataset(labels.source) and has_objects(labels.source):
        return read_classes(labels.source)
    needy = [metric.name for metric in chosen if metric.needs_classes]
    if needy:
        raise RecipeError(
            f"{', '.join(needy)}: needs the class of every object, which label files do not hold; give a table "
            f"with the columns image, id and class: --{side}-classes"
        )
    return None


def _check_area(min_area_px: int) -> None:
    from ...core.errors import RecipeError

    if min_area_px < 0:
        raise RecipeError(f"--min-area-px is {min_area_px}; at least 0")


class _Scales:
    """The voxel size of each pair, and that all pairs have one or none has: lengths of both do not mix."""

    def __init__(self, given: VoxelSize | None, *, is_needed: bool) -> None:
        self.given, self.is_needed = given, is_needed
        self._known: dict[str, bool] = {}

    @property
    def unit(self) -> str:
        """`um`, or `px` where the voxel size is not known."""
        return "um" if any(self._known.values()) else "px"

    def of(self, predicted: "LabelSet", truth: "LabelSet", name: str, ndim: int) -> VoxelSize | None:
        """Size that was given, else that of the reference, else that of the prediction."""
        from ...core.errors import InputError
        from .._lengths import per_axis

        if not self.is_needed:
            return None
        given = None if self.given is None else per_axis("--voxel-um", self.given, ndim, "the labels have")
        found = given or self._of_files(predicted, truth, name, ndim)
        self._known[name] = found is not None
        if len(set(self._known.values())) > 1:
            without = next(n for n, is_known in self._known.items() if not is_known)
            raise InputError(
                f"{truth.source}: some images have a pixel size and others, such as {without}, have none; distances of "
                "both do not average, so give it for all: --voxel-um"
            )
        return found

    def _of_files(self, predicted: "LabelSet", truth: "LabelSet", name: str, ndim: int) -> VoxelSize | None:
        from ...core.errors import InputError

        sizes = [labels.voxel_um.get(name) for labels in (truth, predicted)]
        first, second = (size[-ndim:] if size is not None else None for size in sizes)
        if first and second and any(abs(a / b - 1) > 0.01 for a, b in zip(first, second, strict=True)):
            raise InputError(
                f"{name}: a voxel is {first} um in the reference {truth.files[name]} and {second} um in the prediction "
                f"{predicted.file_of(name)}; give the right size: --voxel-um"
            )
        return first or second


def _load_pair(
    predicted: "LabelSet",
    truth: "LabelSet",
    name: str,
    scales: _Scales,
    ignore_border: bool,
    min_area_px: int,
    notes: "tuple[LabelNotes, LabelNotes]",
    classes: "tuple[ClassTables | None, ClassTables | None]",
    work: "BlockWork",
) -> "LabelPair":
    from ...core.errors import InputError
    from ...data.dataset import is_dataset
    from .._label_pair import check_pair, make_pair

    # A mask of foreground is a poor prediction, but as a reference a mistake; what we wrote needs no suspicion, and
    # references of the challenge may hold few cells.
    may_be_mask = truth.is_partial or is_dataset(truth.source)
    expected = truth.open(name, may_be_mask=may_be_mask, notes=notes[1])
    found = predicted.open(name, may_be_grey=is_dataset(predicted.source), notes=notes[0])
    if found.shape != expected.shape:
        raise InputError(
            f"{predicted.file_of(name)}: labels are {found.shape} and the reference {truth.files[name]} is "
            f"{expected.shape}; they must be labels of the same image, so crop one or check the names"
        )
    voxel_um = scales.of(predicted, truth, name, len(expected.shape))
    of_prediction, of_reference = (None if one is None else one.of(name) for one in classes)
    pair = make_pair(
        expected,
        found,
        voxel_um,
        ignore_border=ignore_border,
        min_area_px=min_area_px,
        work=work,
        reference_classes=of_reference,
        prediction_classes=of_prediction,
    )
    check_pair(pair, may_be_mask=may_be_mask, notes=notes)
    return pair
