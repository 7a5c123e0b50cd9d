"""Edge degradation and Wasserstein similarity with depth of a pair of 100x402x402, against the published steps."""

from collections.abc import Iterator

import numpy as np
from scipy import ndimage
from scipy.stats import wasserstein_distance
from skimage.filters import sobel

from cellsynth.evaluate.features import PictureSet
from cellsynth.evaluate.realism.depth_wasserstein import DepthWasserstein
from cellsynth.evaluate.realism.edge_degradation import EdgeDegradation

from ._claim import Claim
from ._measure import compare

SHAPE = (100, 402, 402)
N_REPEATS = 5


def claims() -> Iterator[Claim]:
    real, synthetic, labels = volumes()
    sides = [PictureSet([volume[None]], [labels], data_range=255) for volume in (real, synthetic)]
    edges, values = EdgeDegradation(), DepthWasserstein()

    def our_edges() -> np.ndarray:
        return edges.measure(*sides).by_depth[0]

    def plain_edges() -> list[np.ndarray]:
        return [edge_curve(real), edge_curve(synthetic)]

    for ours, plain in zip(our_edges(), plain_edges(), strict=True):
        np.testing.assert_allclose(ours[: len(plain)], plain, rtol=1e-4)
    timed = compare(our_edges, plain_edges, N_REPEATS)
    yield Claim(
        "depth: pairs of 100x402x402 per minute and core, edge degradation, against SciPy and scikit-image",
        value=60 / timed.ours_s,
        reference=60 / timed.other_s,
        ratio=timed.ratio,
        interval=timed.interval,
        target=5,
    )

    def our_values() -> np.ndarray:
        return values.measure(*sides).by_depth[0]

    def plain_values() -> np.ndarray:
        return wasserstein_by_slice(real, synthetic, labels)

    np.testing.assert_allclose(our_values(), plain_values(), rtol=1e-9, atol=1e-9)
    timed = compare(our_values, plain_values, N_REPEATS)
    yield Claim(
        "depth: pairs of 100x402x402 per minute and core, Wasserstein similarity, against SciPy",
        value=60 / timed.ours_s,
        reference=60 / timed.other_s,
        ratio=timed.ratio,
        interval=timed.interval,
        target=5,
    )


def volumes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """8 bit volumes of blurred blobs, the second darker and noisier, with the labels of both."""
    rng = np.random.default_rng(0)
    field = ndimage.gaussian_filter(rng.normal(size=SHAPE).astype(np.float32), 7)
    cells = field > 1.2 * field.std()
    shine = ndimage.gaussian_filter(cells.astype(np.float32), 1.5)
    fading = np.linspace(1, 0.4, SHAPE[0], dtype=np.float32)[:, None, None]
    real = 20 + 180 * shine * fading + rng.normal(0, 3, SHAPE)
    synthetic = 18 + 160 * shine * fading**1.5 + rng.normal(0, 5, SHAPE)
    return (
        real.clip(0, 255).astype(np.uint8),
        synthetic.clip(0, 255).astype(np.uint8),
        ndimage.label(cells)[0].astype(np.int32),
    )


def edge_curve(volume: np.ndarray, column: int = 100) -> np.ndarray:
    """Crop, blur, gradient, quantile of each column and slice, one after the other."""
    cropped = volume / 255
    for axis in (1, 2):
        n = cropped.shape[axis] // column * column
        start = (cropped.shape[axis] - n) // 2
        cropped = np.take(cropped, range(start, start + n), axis=axis)
    smooth = ndimage.gaussian_filter(cropped, (0, 3, 3))
    edges = np.stack([sobel(plane) for plane in smooth])
    curves = []
    for y in range(0, edges.shape[1], column):
        for x in range(0, edges.shape[2], column):
            sharpness = [np.quantile(plane[y : y + column, x : x + column], 0.95) for plane in edges]
            below = sharpness[int(np.argmax(sharpness)) :]
            if len(below) >= 50 and max(sharpness) >= 0.026:
                curves.append(below)
    longest = max(len(curve) for curve in curves)
    return np.array([np.mean([c[k] for c in curves if len(c) > k]) for k in range(longest)])


def wasserstein_by_slice(real: np.ndarray, synthetic: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Regions by repeated dilation and erosion, of each volume; then SciPy's distance for every region and slice."""
    result = []
    regions = [plain_regions(labels) for _ in (real, synthetic)]
    for of_real, of_synthetic in zip(*regions, strict=True):
        similarity = []
        for z in range(len(real)):
            a, b = real[z][of_real[z]], synthetic[z][of_synthetic[z]]
            if a.size and b.size:
                similarity.append(1 - wasserstein_distance(a, b) / wasserstein_distance(a, np.zeros_like(a)))
            else:
                similarity.append(np.nan)
        result.append(similarity)
    return np.array(result)


def plain_regions(labels: np.ndarray) -> list[np.ndarray]:
    cells = np.pad(labels > 0, ((16, 16), (0, 0), (0, 0)))
    closed = ndimage.binary_erosion(ndimage.binary_dilation(cells, iterations=15), iterations=15)
    inside = ndimage.binary_erosion(closed & ~cells, iterations=2)
    outside = ndimage.binary_erosion(~closed, iterations=2) & ~cells
    return [region[16:-16] for region in (cells, inside, outside)]
