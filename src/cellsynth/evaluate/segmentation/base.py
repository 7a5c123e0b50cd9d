"""What every metric of labels against labels is."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from ...core.registry import Plugin, Registry
from ..counts import AbstractCounts, ObjectCounts, PixelCounts
from ._pair import LabelPair

C = TypeVar("C", bound=AbstractCounts)

registry: "Registry[AbstractMetric]" = Registry("cellsynth.evaluate.segmentation", "segmentation metric")


class AbstractMetric(Plugin, ABC, Generic[C]):
    """A number that says how well a prediction agrees with a reference.

    `measure` counts on one image; counts of several images add; `score` turns counts into the number. Undefined
    is NaN.
    """

    higher_is_better: ClassVar[bool] = True
    """Direction of the score."""

    value_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    """Smallest and largest score there can be. The best is the end that `higher_is_better` says."""

    unit: ClassVar[str] = ""
    """Unit of the score; empty for a plain number."""

    both_empty: ClassVar[float] = math.nan
    """Score where neither side has an object."""

    needs_classes: ClassVar[bool] = False
    """Whether the pair must know the classes of its objects."""

    always_named: ClassVar[tuple[str, ...]] = ()
    """Fields that stand in `name` even at their default, because no one is without saying which."""

    @abstractmethod
    def measure(self, pair: LabelPair) -> C:
        """Count on one image."""

    @abstractmethod
    def score(self, counts: C) -> float:
        """Score of the counts of one image, or of the sum over several."""

    @property
    def name(self) -> str:
        """Name in tables, one for each variant: `average_precision[iou=0.5]`."""
        defaults = {key: field.default for key, field in type(self).model_fields.items()}
        values = {key: getattr(self, key) for key in defaults if key != "kind"}
        shown = [
            f"{key}={_plain(value)}"
            for key, value in values.items()
            if key in self.always_named or value != defaults[key]
        ]
        return f"{self.kind}[{','.join(shown)}]" if shown else self.kind

    @property
    def worst(self) -> float | None:
        """Score of a method that failed: the bad end of the range, None where that end is infinite."""
        end = self.value_range[0 if self.higher_is_better else 1]
        return end if math.isfinite(end) else None


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


def _plain(value: object) -> str:
    """Write a field's value without blanks, so that a name is one word."""
    if isinstance(value, tuple):
        return "/".join(_plain(part) for part in value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)
