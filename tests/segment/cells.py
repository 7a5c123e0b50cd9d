"""Small images of discs, and a plain score, for the tests of segmenters."""

import numpy as np

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.core.sample import Sample

DIAMETER = 13.0
"""Of the discs, in pixels."""


def discs(shape, centres, diameter=DIAMETER):
    """Labels of discs; an earlier one keeps a contested pixel."""
    y, x = np.indices(shape)
    labels = np.zeros(shape, np.int32)
    for i, (cy, cx) in enumerate(centres, start=1):
        inside = (y - cy) ** 2 + (x - cx) ** 2 < (diameter / 2) ** 2
        labels[inside & (labels == 0)] = i
    return labels


def image_of(labels, key=None, background=0.2, contrast=0.4, noise=0.0):
    """(1, Y, X) float32 on a lattice of 1/4096, so that `1 - (1 - image)` is `image` to the bit."""
    plane = background + contrast * (labels > 0)
    if noise:
        plane = plane + noise * (key or Key.from_seed(0)).generator().standard_normal(labels.shape)
    return (np.rint(np.clip(plane, 0, 1) * 4096) / 4096).astype(np.float32)[None]


FIELD = discs((95, 121), [(20, 20), (22, 60), (50, 40), (55, 85), (80, 15), (78, 62), (2, 100), (60, 120)])
"""Eight discs that do not touch; two are cut by the border."""

TOUCHING = discs((49, 63), [(24, 24.5), (24, 36.5)])
"""Two discs that touch over about five pixels."""


def count_error(reference, prediction):
    """Score for tuning: 0 is best."""
    return -abs(float(reference.max()) - float(prediction.max()))


def mean_iou(reference, prediction):
    """Best overlap of every reference object, averaged: a plain score that any mistake lowers."""
    scores = []
    for i in range(1, reference.max() + 1):
        cell = reference == i
        rivals = np.unique(prediction[cell])
        overlaps = [(cell & (prediction == j)).sum() / (cell | (prediction == j)).sum() for j in rivals if j]
        scores.append(max(overlaps, default=0.0))
    return float(np.mean(scores)) if scores else float("nan")


def noisy_samples(key, n=4, shape=(63, 81)):
    """Samples of a few discs under noise."""
    samples = []
    for i in range(n):
        rng = key.child("sample", i).generator()
        centres = [
            (y + rng.uniform(-2, 2), x + rng.uniform(-2, 2)) for y in (12, 30, 50) for x in (14, 33, 60)
        ]
        labels = discs(shape, centres)
        image = image_of(labels, key.child("noise", i), noise=0.08)
        samples.append(Sample(f"s{i}", Grid(shape_px=shape), image, labels))
    return samples
