"""Which objects of a comparison do not count: those of the reference, and with them those of the prediction."""

import numpy as np
from jaxtyping import Bool

from ._overlap import Overlap

_MATCH_IOU = 0.5


def find_ignored(
    overlap: Overlap, is_reference_out: Bool[np.ndarray, " r"], is_prediction_out: Bool[np.ndarray, " p"]
) -> tuple[Bool[np.ndarray, " r"], Bool[np.ndarray, " p"]]:
    """Decide which objects to ignore, so that neither finding nor missing what is ignored changes a score.

    - A reference object is ignored where it is out.
    - A predicted object that matches a reference object (IoU of at least .5, one to one) shares its fate: it counts
      with one that counts, though it is out itself, and is ignored with one that is ignored [1]_.
    - One that matches nothing is ignored where it is out [1]_, or where more than half of its voxels lie on
      ignored reference objects [2]_.

    The matching is made once, at .5, and not at every threshold of a metric anew as in [1]_: all metrics then speak
    of the same objects.

    Parameters
    ----------
    is_reference_out, is_prediction_out
        Objects that are not to be judged, such as those that the border cuts.

    References
    ----------
    .. [1] T.-Y. Lin et al., "Microsoft COCO: common objects in context", ECCV 2014; the rule of their evaluation for
       areas out of range.
    .. [2] A. Kirillov et al., "Panoptic segmentation", CVPR 2019, section 4.2; the rule for void.
    """
    matching = overlap.match(_MATCH_IOU)
    on_ignored = is_reference_out[overlap.pair_reference]
    covered_px = np.bincount(
        overlap.pair_prediction[on_ignored],
        weights=overlap.pair_intersections_px[on_ignored],
        minlength=len(overlap.prediction_ids),
    )
    is_ignored = is_prediction_out | (2 * covered_px > overlap.prediction_areas_px)
    is_ignored[matching.prediction] = is_reference_out[matching.reference]
    return is_reference_out, is_ignored
