"""Placing cells: packing against rejection that turns, measures and tests every trial on voxels; density; a million."""

import json
import math
import time
from collections.abc import Iterator

import numpy as np
from numba import get_num_threads
from scipy import ndimage
from skimage.measure import regionprops

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.labels._packing import OVERLAP, pack, scattered
from cellsynth.labels._rotations import random_rotations
from cellsynth.labels.base import registry

from ._claim import Claim
from ._measure import own_peak_mb, python, repeat, run, seconds_of

SHAPE_PX = (64, 256, 256)
HALF_AXES_PX = (30.0, 120.0, 120.0)
"""Of the region: 1.8 million voxels."""

NUCLEUS_PX = (4.0, 9.0, 9.0)
"""Semi-axes of a nucleus, give or take 15 %: those of the measured run of the published simulator."""

FRACTION = 0.20
A_MILLION = 1_000_000


def claims() -> Iterator[Claim]:
    published = RejectionOnVoxels()
    published.fill(FRACTION - 0.01)
    begun = len(published)
    seconds = seconds_of(lambda: published.fill(FRACTION + 0.01))
    theirs = (len(published) - begun) / seconds
    yield from _against(theirs, seconds, len(published) - begun)
    yield _densest()
    yield _million()


def _against(theirs: float, seconds: float, n: int) -> Iterator[Claim]:
    found = {}

    def ours() -> None:
        found["scene"] = _scene(FRACTION)

    median, interval = repeat(ours)
    placed = len(found["scene"].objects)
    yield Claim(
        f"placement: ellipsoids per second up to a fraction of {FRACTION:.2f} of an ellipsoid of 64x256x256 voxels, "
        f"drawn and checked, against rejection on voxels at that fraction ({n} placements in {seconds:.0f} s)",
        value=placed / median,
        reference=theirs,
        ratio=placed / median / theirs,
        interval=(placed / interval[1] / theirs, placed / interval[0] / theirs),
        target=200,
    )


def _densest() -> Claim:
    begun = time.perf_counter()
    scene = _scene(0.55)
    seconds = time.perf_counter() - begun
    labels = scene.draw()
    inside = scene.tissue.in_box(scene.grid, scene.grid.box) > 0
    return Claim(
        f"placement: fraction of the voxels of the region that {len(scene.objects)} ellipsoids fill without overlap",
        value=float((labels[inside] > 0).mean()),
        target=0.5,
        seconds=seconds,
    )


def _million() -> Claim:
    """In a process of its own, with the threads that a user has."""
    code = "from benchmarks.placement import measure_million; measure_million()"
    done = json.loads(run(python("-c", code)).output.splitlines()[-1])
    return Claim(
        f"placement: seconds for 1,000,000 ellipsoids at a fraction of 0.30, {done['n_threads']} threads",
        done["seconds"],
        target=300,
        direction="at most",
        peak_mb=done["peak_mb"],
    )


def measure_million() -> None:
    """Print seconds, threads and peak memory as JSON."""
    rng = np.random.default_rng(0)
    radius = rng.uniform(4, 6, A_MILLION)
    ratios = np.column_stack([rng.uniform(0.66, 0.97, (A_MILLION, 2)), np.ones(A_MILLION)])
    axes = radius[:, None] * ratios / np.prod(ratios, axis=1, keepdims=True) ** (1 / 3)
    side = (4 / 3 * math.pi * (radius**3).sum() / 0.3) ** (1 / 3)
    keys = rng.integers(0, 2**63, A_MILLION).astype(np.uint64)
    turns = random_rotations(A_MILLION, 3, rng)
    low, high = np.zeros(3), np.full(3, side)
    found = {}

    def packing() -> None:
        found["packing"] = pack(scattered(keys, low, high, None), axes, turns, low, high)

    seconds = seconds_of(packing)
    if found["packing"].overlap.max() > OVERLAP:
        raise AssertionError("some still overlap")
    print(json.dumps({"seconds": seconds, "n_threads": get_num_threads(), "peak_mb": own_peak_mb()}))


def _scene(fraction: float):
    z, y, x = NUCLEUS_PX
    mean = (z * y * x) ** (1 / 3)
    grid = Grid(shape_px=SHAPE_PX, voxel_um=(1.0, 1.0, 1.0))
    config = registry.parse(
        {
            "kind": "cells",
            "fraction": fraction,
            "region": {"kind": "ellipsoid", "semi_axes_um": list(HALF_AXES_PX)},
            "populations": [
                {
                    "radius_um": [mean * 0.85, mean * 1.15],
                    # One flattened axis: 4 to 9.
                    "axis_ratio": [0.45, 0.95],
                    "orientation": "flat",
                }
            ],
        }
    )
    return config.build(grid)(Key.from_seed(0))


class RejectionOnVoxels:
    """Random rejection as the published simulator does it, in its own steps: every trial turns a prototype by splines,
    measures it as a labelled image, draws a position, and looks at the voxels below it. Written anew."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        offsets = [np.arange(n) - (n - 1) / 2 for n in SHAPE_PX]
        z, y, x = np.meshgrid(*offsets, indexing="ij", sparse=True)
        self._region = sum((p / a) ** 2 for p, a in zip((z, y, x), HALF_AXES_PX, strict=True)) <= 1
        self._labels = np.zeros(SHAPE_PX, np.uint16)
        self._volume = int(self._region.sum())
        self._filled = self._n = 0
        self._prototypes = [self._prototype() for _ in range(20)]

    def __len__(self) -> int:
        return self._n

    def fill(self, fraction: float) -> None:
        """Place until so much of the region is filled."""
        while self._filled < fraction * self._volume:
            self._attempt()

    def _prototype(self) -> np.ndarray:
        axes = np.array(NUCLEUS_PX) * self._rng.uniform(0.85, 1.15, 3)
        spans = [np.arange(-math.ceil(a), math.ceil(a) + 1) for a in axes]
        z, y, x = np.meshgrid(*spans, indexing="ij", sparse=True)
        return (sum((p / a) ** 2 for p, a in zip((z, y, x), axes, strict=True)) <= 1).astype(np.uint8)

    def _attempt(self) -> None:
        rng = self._rng
        body = self._prototypes[rng.integers(20)]
        if rng.random() < 0.5:
            angle = int(rng.integers(-45, 46))
            body = ndimage.rotate(body * 255, angle, axes=(1, 2), order=3) > 127
        found = regionprops(body.astype(np.uint8))[0]
        points = found.coords - np.rint(found.centroid).astype(int)
        if rng.random() < 0.5:
            points = points[:, [0, 2, 1]]
        for axis in (1, 2):
            if rng.random() < 0.5:
                points[:, axis] *= -1
        low, high = -points.min(axis=0), np.array(SHAPE_PX) - points.max(axis=0)
        place = tuple((points + rng.integers(low, high)).T)
        if self._labels[place].any() or not self._region[place].all():
            return
        self._n += 1
        self._labels[place] = self._n
        self._filled += len(points)
