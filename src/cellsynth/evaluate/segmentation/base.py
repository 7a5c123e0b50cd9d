"""What every metric of labels against labels is."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from ...core.registry import Registry
from ..counts import AbstractCounts, ObjectCounts, PixelCounts
from ..scored import AbstractScored
from ._pair import LabelPair

C = TypeVar("C", bound=AbstractCounts)

registry: "Registry[AbstractMetric]" = Registry("cellsynth.evaluate.segmentation", "segmentation metric")


class AbstractMetric(AbstractScored, ABC, Generic[C]):
    """A number that says how well a prediction agrees with a reference.

    `measure` counts on one image; counts of several images add; `score` turns counts into the number. Undefined
    is NaN.
    """

    unit: ClassVar[str] = ""
    """Unit of the score; empty for a plain number."""

    both_empty: ClassVar[float] = math.nan
    """Score where neither side has an object."""

    needs_classes: ClassVar[bool] = False
    """Whether the pair must know the classes of its objects."""

    @abstractmethod
    def measure(self, pair: LabelPair) -> C:
        """Count on one image."""

    @abstractmethod
    def score(self, counts: C) -> float:
        """Score of the counts of one image, or of the sum over several."""


def count_objects(pair: LabelPair, iou: float, *, is_strict: bool = False) -> ObjectCounts:
    """Objects matched one to one at an IoU of at least `iou` (above it where `is_strict`)."""
    overlap = pair.overlap
    matching = overlap.match(iou, is_strict=is_strict)
    tp = len(matching)
    return ObjectCounts(
        tp=tp,
        fp=len(overlap.prediction_ids) - tp,
        fn=len(overlap.reference_ids) - tp,
        iou_sum=float(matching.ious.sum()),
    )


def count_pixels(pair: LabelPair) -> PixelCounts:
    """Voxels by foreground of both sides."""
    overlap = pair.overlap
    tp = int(overlap.pair_intersections_px.sum())
    fp = int(overlap.prediction_areas_px.sum()) - tp
    fn = int(overlap.reference_areas_px.sum()) - tp
    return PixelCounts(tp=tp, fp=fp, fn=fn, tn=overlap.n_voxels - tp - fp - fn)
