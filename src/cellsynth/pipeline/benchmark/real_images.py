"""The user's images: what may be wrong with their labels, which of them are segmented, where they lie."""

import dataclasses
import logging

from ...data.image_set import ImageSet
from .._run_folder import RunFolder

_log = logging.getLogger(__name__)

N_SHOWN = 8
"""Unlabelled real images that are segmented as well, to be looked at."""


def warn_of_blank_labels(images: ImageSet) -> None:
    """An image without cells is possible, but more often nobody has drawn in it yet."""
    labelled = [(e, e.load_labels()) for e in images.entries if e.labels]
    blank = [e.name for e, labels in labelled if labels is not None and not labels.any()]
    if blank:
        _log.warning(
            "%d of %d label images hold no cell, such as that of %s: whatever a method finds there counts as wrong, so "
            "take the files out if nobody labelled these images",
            len(blank),
            len(labelled),
            blank[0],
        )


def without_labels(images: ImageSet) -> ImageSet:
    """The images alone: what is calibrated on or segmented must not see the answer."""
    entries = tuple(dataclasses.replace(e, labels=None) for e in images.entries)
    return dataclasses.replace(images, entries=entries)


def to_segment(images: ImageSet) -> ImageSet:
    """All labelled images, and a few others spread over the set."""
    labelled = [i for i in range(len(images)) if images.has_labels(i)]
    others = [i for i in range(len(images)) if not images.has_labels(i)]
    step = max(len(others) / N_SHOWN, 1.0)
    shown = [others[int(k * step)] for k in range(min(N_SHOWN, len(others)))]
    return images.take(sorted([*labelled, *shown]))


def record_images(run: RunFolder, images: ImageSet) -> None:
    """Say where the real images lie and how they are read, so that the report can show them later."""
    run.write_json(
        "tables/images.json",
        {
            "images": [
                {
                    "name": e.name,
                    "image": str(e.image.resolve()),
                    "labels": str(e.labels.resolve()) if e.labels else None,
                    "channel": e.channel,
                    "bit_depth": e.bit_depth,
                    "grid": e.grid.to_dict(),
                    "is_ours": e.is_ours,
                }
                for e in images.entries
            ]
        },
    )
