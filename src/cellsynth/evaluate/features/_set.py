"""PictureSet: images of one kind with the range of their values, checked once."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from ...core.errors import InputError
from ...core.sample import Sample
from ...core.types import Labels
from ..images import check_image, check_range, scaled


@dataclass(frozen=True, eq=False)
class Picture:
    """One image of a set."""

    image: Float64[np.ndarray, "c *zyx"]
    """Values in [0, 1]."""

    labels: Labels | None
    """Its cells; None where nobody labelled it."""


class PictureSet:
    """Images that are judged as a set; their order matters only where images are compared in pairs.

    Parameters
    ----------
    images : each (Y, X), (C, Y, X) or (C, Z, Y, X)
        Of any size, with the same number of channels and of axes. A volume has its axis of channels: `volume[None]`.
    labels : each (Y, X) or (Z, Y, X)
        Of every image, or none.
    data_range
        What the values may be: from 0 to this, or (lowest, highest); the same for all images.

    Raises
    ------
    InputError
        If the set is empty, images differ in channels, axes or dtype, hold a NaN or a value out of
        `data_range`, or labels do not belong to them.
    """

    images: tuple[np.ndarray, ...]
    """As given, with an axis of channels; not scaled."""

    labels: tuple[np.ndarray, ...] | None
    data_range: tuple[float, float]

    # Wide annotations: this is the border where any array may arrive.
    def __init__(
        self,
        images: Sequence[np.ndarray],
        labels: Sequence[np.ndarray] | None = None,
        *,
        data_range: float | tuple[float, float],
    ) -> None:
        self.data_range = check_range(data_range)
        if len(images) == 0:
            raise InputError("the set has no image; check the folder or the split")
        for i, image in enumerate(images):
            check_image(image, f"image {i}", self.data_range)
        self.images = tuple(image if image.ndim > 2 else image[None] for image in images)
        _check_alike(self.images)
        self.labels = None if labels is None else tuple(labels)
        if self.labels is not None:
            _check_labels(self.labels, self.images)

    @classmethod
    def of_samples(cls, samples: Iterable[Sample]) -> "PictureSet":
        """Set of the images of a dataset, with their labels where all have them."""
        kept = list(samples)
        labels = [sample.labels for sample in kept if sample.labels is not None]
        return cls(
            [sample.image for sample in kept], labels if len(labels) == len(kept) else None, data_range=1.0
        )

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[Picture]:
        for i, image in enumerate(self.images):
            yield Picture(scaled(image, self.data_range), None if self.labels is None else self.labels[i])

    @property
    def n_channels(self) -> int:
        """Channels of every image."""
        return len(self.images[0])

    @property
    def ndim(self) -> int:
        """Axes of space: 2 or 3."""
        return self.images[0].ndim - 1


def _check_alike(images: tuple[np.ndarray, ...]) -> None:
    first = images[0]
    for i, image in enumerate(images):
        if image.dtype != first.dtype:
            raise InputError(
                f"image {i} is {image.dtype} and image 0 {first.dtype}; convert all to one, so that data_range "
                "holds for all"
            )
        if image.ndim != first.ndim or len(image) != len(first):
            raise InputError(
                f"image {i} is {image.shape} and image 0 {first.shape}; images of one set have the same axes and "
                "number of channels; convert them to one kind, such as all to grey, or put each kind into a set "
                "of its own"
            )


def _check_labels(labels: tuple[np.ndarray, ...], images: tuple[np.ndarray, ...]) -> None:
    if len(labels) != len(images):
        raise InputError(
            f"there are {len(images)} images and {len(labels)} labels; give those of every image"
        )
    for i, (one, image) in enumerate(zip(labels, images, strict=True)):
        if one.dtype.kind not in "iu" or one.shape != image.shape[1:]:
            raise InputError(
                f"labels {i} are {one.dtype} {one.shape} and their image is {image.shape[1:]}; labels are integers, "
                "one for each voxel"
            )
