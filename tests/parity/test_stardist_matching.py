"""Object metrics against StarDist's matching, where it is installed: `pip install "cellsynth[bench]"`."""

import numpy as np
import pytest

from cellsynth.evaluate.segmentation import LabelPair, registry
from tests.evaluate.label_fields import random_pair

pytestmark = pytest.mark.external


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("iou", [0.3, 0.5, 0.7, 0.9])
def test_equals_stardist(seed, iou):
    matching = pytest.importorskip("stardist.matching", reason='pip install "cellsynth[bench]"').matching
    reference, prediction = random_pair(seed, 2 + seed % 2)
    if not reference.any() or not prediction.any():
        pytest.skip("StarDist scores an empty side 0, we where nothing is there NaN")
    theirs = matching(reference, prediction, thresh=iou)
    pair = LabelPair(reference, prediction)
    metrics = {kind: registry.parse({"kind": kind, "iou": iou}) for kind in ("average_precision", "f1")}
    ours = {kind: metric.score(metric.measure(pair)) for kind, metric in metrics.items()}
    counts = metrics["f1"].measure(pair)
    assert (counts.tp, counts.fp, counts.fn) == (theirs.tp, theirs.fp, theirs.fn)
    assert ours["average_precision"] == pytest.approx(theirs.accuracy)
    assert ours["f1"] == pytest.approx(theirs.f1)
    if iou > 0.5:
        assert counts.iou_sum / max(counts.tp, 1) == pytest.approx(theirs.mean_matched_score, rel=1e-6)
    assert np.isfinite(theirs.panoptic_quality)
