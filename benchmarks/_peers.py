"""The metrics of public packages, each by its own interface; what is not installed is not compared."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from ._measure import seconds_of

Scores = dict[str, float]
"""Some of `average_precision`, `panoptic_quality`, `aggregated_jaccard`."""


@dataclass(frozen=True)
class Peer:
    """One function of a package."""

    package: str

    what: str
    """Function, and what it has of ours."""

    build: Callable[[], Callable[[np.ndarray, np.ndarray], Scores]]
    """Imports the package; gives a function of (reference, prediction)."""

    tolerance: float = 1e-6
    """How far its values may be from ours, relative."""

    is_slow: bool = False
    """Takes minutes: timed once, without a call to warm up."""

    @property
    def is_installed(self) -> bool:
        """Whether the package is there."""
        return find_spec(self.package) is not None


def seconds_and_scores(peer: Peer, reference: np.ndarray, prediction: np.ndarray) -> tuple[float, Scores]:
    """One call, timed."""
    function, found = peer.build(), {}
    seconds = seconds_of(lambda: found.update(function(reference, prediction)))
    return seconds, found


def _stardist() -> Callable[[np.ndarray, np.ndarray], Scores]:
    from stardist.matching import matching

    def score(reference: np.ndarray, prediction: np.ndarray) -> Scores:
        found = matching(reference, prediction, thresh=0.5)
        return {"average_precision": found.accuracy, "panoptic_quality": found.panoptic_quality}

    return score


def _cellpose_jaccard() -> Callable[[np.ndarray, np.ndarray], Scores]:
    from cellpose.metrics import aggregated_jaccard_index

    return lambda reference, prediction: {
        "aggregated_jaccard": float(aggregated_jaccard_index([reference], [prediction])[0])
    }


def _cellpose_precision() -> Callable[[np.ndarray, np.ndarray], Scores]:
    from cellpose.metrics import average_precision

    return lambda reference, prediction: {
        "average_precision": float(average_precision(reference, prediction, threshold=[0.5])[0][0])
    }


def _panoptica() -> Callable[[np.ndarray, np.ndarray], Scores]:
    from panoptica import InputType, Metric, NaiveThresholdMatching, Panoptica_Evaluator

    evaluator = Panoptica_Evaluator(
        expected_input=InputType.UNMATCHED_INSTANCE,
        instance_matcher=NaiveThresholdMatching(matching_threshold=0.5),
        instance_metrics=[Metric.IOU],
        global_metrics=[],
    )

    def score(reference: np.ndarray, prediction: np.ndarray) -> Scores:
        # Unsigned labels are what it takes; the conversion is a small part.
        found: Any = evaluator.evaluate(
            prediction.astype(np.uint16), reference.astype(np.uint16), verbose=False
        )["ungrouped"]
        found = found[0] if isinstance(found, tuple) else found
        return {"panoptic_quality": float(found.pq)}

    return score


def _torchmetrics() -> Callable[[np.ndarray, np.ndarray], Scores]:
    import torch
    from torchmetrics.functional.detection import panoptic_quality

    def score(reference: np.ndarray, prediction: np.ndarray) -> Scores:
        sides = [
            torch.from_numpy(np.stack([(labels > 0).astype(np.int64), labels.astype(np.int64)], axis=-1))[
                None
            ]
            for labels in (prediction, reference)
        ]
        of_things, _ = panoptic_quality(*sides, things={1}, stuffs={0}, return_per_class=True)[0]
        return {"panoptic_quality": float(of_things)}

    return score


def _monai() -> Callable[[np.ndarray, np.ndarray], Scores]:
    import torch
    from monai.metrics.panoptic_quality import compute_panoptic_quality

    def score(reference: np.ndarray, prediction: np.ndarray) -> Scores:
        sides = (torch.from_numpy(labels.astype(np.int64)) for labels in (prediction, reference))
        return {
            "panoptic_quality": float(
                compute_panoptic_quality(*sides, metric_name="pq", match_iou_threshold=0.5)
            )
        }

    return score


PEERS = (
    Peer("stardist", "StarDist's matching, which has TP/FP/FN, AP and PQ", _stardist),
    # It divides by the union of both foregrounds, where a voxel of two pairs counts once: a little more than AJI.
    Peer("cellpose", "Cellpose's aggregated Jaccard index", _cellpose_jaccard, tolerance=0.01),
    Peer("cellpose", "Cellpose's average precision", _cellpose_precision),
    Peer("panoptica", "panoptica, which has PQ", _panoptica),
    Peer("torchmetrics", "torchmetrics, which has PQ", _torchmetrics),
    Peer("monai", "MONAI, which has PQ", _monai, tolerance=1e-3, is_slow=True),
)
