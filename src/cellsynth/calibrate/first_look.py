"""A first look at a set: polarity, bit depth and the size of cells, before anything is measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..core.errors import InputError
from ..core.parallel import WorkerPool
from ..core.sample import Sample
from ..core.types import Plane
from ..data.image_set import Entry, ImageSet
from ..segment import typical_diameter_px
from ._polarity import Polarity, polarity_evidence


@dataclass(frozen=True)
class Impression:
    """What a quick look tells of a set."""

    polarity: Polarity
    diameter_um: float
    """Typical diameter of a cell; in pixels where the scale is not known."""


def first_impression(images: ImageSet, pool: WorkerPool, polarity: Polarity | None = None) -> Impression:
    """Find polarity and typical diameter without fitting anything.

    Raises
    ------
    InputError
        If nothing of the size of a cell stands out in any image.
    """
    looks = list(pool.map(partial(first_look, polarity), images.entries))
    polarity = polarity or polarity_of(looks)
    diameter_px = overall_diameter_px(looked_again(looks, images, polarity, pool), images)
    return Impression(polarity, diameter_px * float(images.grid(0).voxel_um[-1]))


@dataclass(frozen=True)
class Look:
    """What a quick look tells of one image."""

    name: str
    evidence: float
    """For bright cells where positive: see `polarity_evidence`."""
    bits: int
    """Bits that hold its largest value."""
    polarity: Polarity
    """What the image alone speaks for, or what the user said."""
    diameter_px: float
    """Under that polarity; NaN where nothing was found."""


def first_look(polarity: Polarity | None, entry: Entry) -> Look:
    """Look at one image, under a given polarity or under the one that it speaks for."""
    sample = entry.load()
    plane = grey_levels(sample)
    bits = next(b for b in (8, 10, 12, 14, 16) if plane.max() < 2**b)
    evidence = polarity_evidence(plane)
    polarity = polarity or ("bright" if evidence >= 0 else "dark")
    diameter = typical_diameter_px(plane if polarity == "bright" else plane.max() - plane)
    return Look(entry.name, evidence, bits, polarity, diameter)


def looked_again(looks: Sequence[Look], images: ImageSet, polarity: Polarity, pool: WorkerPool) -> list[Look]:
    """Look again at the images that alone would speak for the other polarity."""
    wrong = [i for i, look in enumerate(looks) if look.polarity != polarity]
    again = pool.map(partial(first_look, polarity), [images.entries[i] for i in wrong])
    result = list(looks)
    for i, look in zip(wrong, again, strict=True):
        result[i] = look
    return result


def overall_diameter_px(looks: Sequence[Look], images: ImageSet) -> float:
    """Median over the images.

    Raises
    ------
    InputError
        If nothing of the size of a cell stands out in any image.
    """
    found = np.array([look.diameter_px for look in looks])
    if np.isnan(found).all():
        raise InputError(
            f"{images.source}: nothing of the size of a cell stands out from the background in any image; check "
            "the channel (--channel) and the polarity (--polarity)"
        )
    return float(np.nanmedian(found))


def polarity_of(looks: Sequence[Look]) -> Polarity:
    """What most images speak for."""
    return "bright" if np.median([look.evidence for look in looks]) >= 0 else "dark"


def grey_levels(sample: Sample) -> Plane:
    """First channel in the counts of the sensor."""
    return sample.image[0] * np.float32(2**sample.bit_depth - 1)
