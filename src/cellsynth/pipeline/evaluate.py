"""Score labels against reference labels."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from ..data.label_set import LabelSet
    from ..evaluate.segmentation import LabelPair


def evaluate_labels(
    prediction: Path | str,
    reference: Path | str,
    *,
    out: Path | str | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Score label images against reference labels of the same names.

    Parameters
    ----------
    prediction
        Folder of label images (PNG, TIFF), one label image, or a dataset folder.
    reference
        The same for the reference.
    out
        Folder to make for the tables: `scores.parquet` (one row per image and metric), `objects.parquet` (one row per
        object) and `summary.json`. Without it the summary is only printed.
    quiet
        Show no progress and print nothing.
    """
    import sys

    import pandas as pd

    from ..core.errors import OutputExistsError
    from ..core.rng import Key
    from ..data.label_set import pair_labels, read_labels
    from ..evaluate.objects import object_table
    from ..evaluate.table import score_pair, score_rows, score_table, summary_table
    from ..io.tables import write_json, write_parquet
    from ._progress import Progress
    from ._run_folder import made_whole
    from .benchmark.scores import scored_metrics

    out = Path(out) if out is not None else None
    if out is not None and out.exists() and (out.is_file() or any(out.iterdir())):
        raise OutputExistsError(f"{out}: holds other data, and nothing is overwritten; choose another folder")
    predicted, truth = read_labels(Path(prediction)), read_labels(Path(reference))
    names = pair_labels(predicted, truth)
    metrics = scored_metrics()
    rows, objects = [], []
    with made_whole(out) if out is not None else nullcontext() as made:
        for name in Progress(is_quiet=quiet).track(names, "evaluate", len(names)):
            pair = _load_pair(predicted, truth, name)
            rows += score_rows("real", "prediction", name, score_pair(pair, metrics))
            objects.append(object_table(pair).assign(image=name))
        scores = score_table(rows)
        summary = summary_table(scores, metrics, key=Key.from_seed(0).child("evaluate"))
        summary = summary[["metric", "mean", "low", "high", "n"]]
        if made is not None:
            write_parquet(made / "scores.parquet", scores[["image", "metric", "value"]])
            write_parquet(made / "objects.parquet", pd.concat(objects, ignore_index=True))
            write_json(made / "summary.json", {"level": 0.95, "metrics": summary.to_dict(orient="records")})
    if not quiet:
        sys.stdout.write(summary.to_string(index=False, float_format=lambda v: f"{v:.4f}") + "\n")
    return summary


def _load_pair(predicted: "LabelSet", truth: "LabelSet", name: str) -> "LabelPair":
    from ..core.errors import InputError
    from ..data.dataset import is_dataset
    from ..evaluate.segmentation import LabelPair

    # A mask of foreground is a poor prediction, but as a reference a mistake; what we wrote needs no suspicion.
    expected = truth.load(name, may_be_mask=is_dataset(truth.source))
    found = predicted.load(name)
    if found.shape != expected.shape:
        raise InputError(
            f"{predicted.files[name]}: labels are {found.shape} and the reference {truth.files[name]} is "
            f"{expected.shape}; they must be labels of the same image, so crop one or check the names"
        )
    return LabelPair(expected, found)
