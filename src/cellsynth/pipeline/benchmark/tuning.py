"""From the tuning images to a tuned configuration of every method."""

from functools import partial
from typing import Any

from ...core.sample import Sample
from ...core.types import Labels
from ...data.image_set import ImageSet
from ...evaluate.segmentation import LabelPair
from ...evaluate.table import score_pair, threshold_metrics
from ...io.tables import read_json
from ...segment import tune
from ...segment.base import registry
from .._measured_run import crashed
from .options import Work

_TUNING_METRICS = (threshold_metrics()[0], threshold_metrics()[4])  # IoU 0.5 and 0.7


def tuning_score(reference: Labels, prediction: Labels) -> float:
    """What tuning maximises: average precision, the mean of IoU 0.5 (found at all) and 0.7 (outlined well)."""
    scores = score_pair(LabelPair(reference, prediction), _TUNING_METRICS)
    return sum(scores.values()) / len(scores)


def tuned(work: Work, scale: dict[str, Any], images: ImageSet) -> list[dict[str, Any]]:
    """Every method with its tuned and its default configuration; what is not installed stays listed."""
    if not work.run.has("tables", "methods.json"):
        samples = list(images)
        methods = work.options.chosen_methods
        each = (_tune_one(work, method, scale, samples) for method in methods)
        result = list(work.progress.track(each, "tune", len(methods)))
        work.run.write_json("tables/methods.json", {"methods": result})
    return read_json(work.run.path / "tables" / "methods.json")["methods"]


def _tune_one(
    work: Work, method: dict[str, Any], scale: dict[str, Any], samples: list[Sample]
) -> dict[str, Any]:
    if method["status"] != "ok":
        return method
    default = registry.get(method["kind"]).parse(scale, source=method["kind"])
    key = work.key("tuning").child(method["kind"])
    guarded = partial(work.pool.map, on_death=_trial_that_died)
    found = tune(default, samples, tuning_score, key, work.options.budget, guarded)
    return {
        **method,
        "config": found.segmenter.to_dict(),
        "default_config": default.to_dict(),
        "tuning_score": found.score,
        "default_tuning_score": found.default_score,
        "n_trials": len(found.trials),
    }


def _trial_that_died(_: Any, how: str) -> tuple[tuple[float, ...], str]:
    """No score, and what a configuration crashed with: what tuning makes of any other crash."""
    return (), crashed(how)


def variants_of(method: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name and configuration of a method as tuned, and as it comes."""
    return [(method["kind"], method["config"]), (f"{method['kind']} (default)", method["default_config"])]
