"""Pairs of label files or volumes: measured in memory, or block by block where a side is a volume on disk."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..core.blocks import THREADS, BlockWork
from ..data.label_volume import LabelVolume
from ..evaluate.segmentation import LabelPair

if TYPE_CHECKING:
    from ..core.types import Labels
    from ..data.label_file import LabelNotes


def make_pair(
    expected: "Labels | LabelVolume",
    found: "Labels | LabelVolume",
    voxel_um: tuple[float, ...] | None,
    *,
    ignore_border: bool,
    min_area_px: int,
    work: BlockWork,
    reference_classes: Mapping[int, int] | None = None,
    prediction_classes: Mapping[int, int] | None = None,
) -> LabelPair:
    """Pair of a reference and a prediction; files of both kinds may stand against each other."""
    in_memory = [isinstance(side, np.ndarray) for side in (expected, found)]
    if any(in_memory):  # a cluster would be sent the whole array with every block
        work = replace(work, scheduler=THREADS)
    return LabelPair(
        expected,
        found,
        voxel_um,
        ignore_border=ignore_border,
        min_area_px=min_area_px,
        work=None if all(in_memory) else work,
        reference_classes=reference_classes,
        prediction_classes=prediction_classes,
    )


def check_pair(
    pair: LabelPair,
    *,
    may_be_mask: bool,
    notes: "tuple[LabelNotes, LabelNotes]",
) -> None:
    """Say of volumes on disk what reading files has said of them: that they are masks.

    Parameters
    ----------
    may_be_mask
        Accept a reference that looks like a mask.
    notes
        Of the prediction and the reference.

    Raises
    ------
    InputError
        If the reference is a mask.
    """
    if isinstance(pair.prediction, LabelVolume):
        pair.prediction.check_ids(pair.all_prediction_ids, may_be_mask=True, notes=notes[0])
    if isinstance(pair.reference, LabelVolume):
        pair.reference.check_ids(pair.all_reference_ids, may_be_mask=may_be_mask, notes=notes[1])
