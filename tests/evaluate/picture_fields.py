"""Sets of small textured images with cells, and volumes with a known depth."""

import numpy as np
from scipy import ndimage

from cellsynth.evaluate.features import PictureSet


def textures(
    n: int,
    grain_px: float = 2.0,
    level: float = 0.4,
    seed: int = 0,
    shape: tuple[int, ...] = (33, 47),
    n_channels: int = 1,
) -> PictureSet:
    """Images of correlated noise with two square cells each."""
    rng = np.random.default_rng([seed, n])
    images, labels = [], []
    for _ in range(n):
        noise = rng.normal(size=(n_channels, *shape))
        smooth = ndimage.gaussian_filter(noise, (0, *(grain_px,) * len(shape)))
        values = level + 0.15 * smooth / smooth.std() + rng.normal(0, 0.02)
        cells = np.zeros(shape, np.int32)
        cells[(slice(3, 9), *(slice(4, 10 + int(rng.integers(3))),) * (len(shape) - 1))] = 1
        cells[(slice(12, 20), *(slice(20, 27),) * (len(shape) - 1))] = 2
        images.append(np.clip(values + 0.1 * (cells > 0), 0, 1).astype(np.float32))
        labels.append(cells)
    return PictureSet(images, labels, data_range=1.0)


def first(pictures: PictureSet, n: int) -> PictureSet:
    return PictureSet(
        pictures.images[:n],
        None if pictures.labels is None else pictures.labels[:n],
        data_range=pictures.data_range,
    )


def rest(pictures: PictureSet, n: int) -> PictureSet:
    return PictureSet(
        pictures.images[n:],
        None if pictures.labels is None else pictures.labels[n:],
        data_range=pictures.data_range,
    )


def stacks(
    n: int, blur_px: float = 0.0, seed: int = 0, shape: tuple[int, int, int] = (61, 103, 121)
) -> PictureSet:
    """Volumes of blobs that fade with depth, one channel, blurred within each slice."""
    images, labels = [], []
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        field = ndimage.gaussian_filter(rng.normal(size=shape).astype(np.float32), 4)
        cells = field > 1.1 * field.std()
        fading = np.linspace(1, 0.5, shape[0], dtype=np.float32)[:, None, None]
        volume = 0.1 + 0.7 * fading * ndimage.gaussian_filter(cells.astype(np.float32), 1)
        volume = ndimage.gaussian_filter(volume, (0, blur_px, blur_px)) + rng.normal(0, 0.01, shape)
        images.append(volume.clip(0, 1).astype(np.float32)[None])
        labels.append(ndimage.label(cells)[0].astype(np.int32))
    return PictureSet(images, labels, data_range=1.0)
