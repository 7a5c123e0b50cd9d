"""DET, the detection accuracy of the Cell Tracking Challenge."""

from typing import Literal

from pydantic import PositiveFloat

from ..counts import DetCounts
from ._markers import count_det, det_of
from ._pair import LabelPair
from .base import AbstractMetric, registry


@registry.register
class CtcDet(AbstractMetric[DetCounts]):
    """Share of the work of annotating all cells by hand that the prediction saves (DET) [1]_.

    1 - min(AOGM-D, AOGM-D0) / AOGM-D0, where AOGM-D = `split_weight` NS + `miss_weight` FN + `false_alarm_weight`
    FP is the cost of correcting the prediction and AOGM-D0 = `miss_weight` N that of starting from nothing. A
    predicted object finds a reference object if it covers more than half of its voxels. FN: reference objects not
    found. FP: predicted objects that find none. NS: separations needed, one less than the number that an object
    finds, summed. In the challenge the reference objects are markers; whole cells work as well, and are harder.
    The pooled score of a sequence is the one that the challenge reports.

    Range 0 to 1; NaN when the reference has no object, 0 when starting from nothing is no more work.

    References
    ----------
    .. [1] P. Matula et al., "Cell tracking accuracy measurement based on comparison of acyclic oriented graphs",
       PLOS ONE 10 (2015) e0144959; the vertices of their graphs alone, with the challenge's weights.
    """

    kind: Literal["ctc_det"] = "ctc_det"

    split_weight: PositiveFloat = 5.0
    """Cost of separating one cell from another."""

    miss_weight: PositiveFloat = 10.0
    """Cost of adding a cell."""

    false_alarm_weight: PositiveFloat = 1.0
    """Cost of deleting an object."""

    def measure(self, pair: LabelPair) -> DetCounts:
        return count_det(pair)

    def score(self, counts: DetCounts) -> float:
        return det_of(counts, self.split_weight, self.miss_weight, self.false_alarm_weight)
