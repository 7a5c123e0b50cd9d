"""Label images in 2D and 3D, against full frames and against bounding boxes in NumPy; large volumes block by block."""

from collections.abc import Iterator
from itertools import count

import numpy as np

from cellsynth.core.grid import Box, Grid
from cellsynth.core.rng import Key
from cellsynth.core.scene import Objects, Scene
from cellsynth.core.shapes import Ellipsoid
from cellsynth.labels.ellipsoids import Ellipsoids
from cellsynth.render.microscope import Microscope

from ._claim import Claim
from ._measure import compare, interval_of_median, repeat, seconds_of

GRID = Grid(shape_px=(512, 512), voxel_um=(1.0, 1.0))
CELLS = Ellipsoids.parse({"n_cells": 100, "radius_um": [8.0, 14.0]})


def claims() -> Iterator[Claim]:
    scene = CELLS.build(GRID)(Key.from_seed(0))
    ours, plain = scene.draw(), draw_on_full_frames(scene)
    same = float(np.mean(ours == plain))
    if same < 0.9999:  # rounding may decide a voxel on an outline
        raise AssertionError(f"the two sides agree on {same:.5f} of the pixels only")
    drawn = compare(scene.draw, lambda: draw_on_full_frames(scene))
    yield Claim(
        f"draw: label images of {len(scene.objects)} cells per second and core, against full frames in NumPy",
        value=1 / drawn.ours_s,
        reference=1 / drawn.other_s,
        ratio=drawn.ratio,
        interval=drawn.interval,
        target=20,
    )
    keys = count()
    new_scene, picture = CELLS.build(GRID), Microscope().build(GRID)

    def make() -> None:
        key = Key.from_seed(1).child("sample", next(keys))
        made = new_scene(key.child("labels"))
        made.draw()
        picture(made, key.child("render"))

    seconds, (low, high) = repeat(make, n_repeats=30)
    yield Claim(
        "draw: images of 100 cells with labels per second and core, from key to grey values",
        value=1 / seconds,
        interval=(1 / high, 1 / low),
        target=20,
    )
    yield volume_of_ellipsoids()
    yield large_against_small()


def volume_of_ellipsoids() -> Claim:
    """Memory that is taken anew costs both sides as much as the drawing, and either keeps two arrays."""
    scene = crowd(Grid(shape_px=(256, 512, 512), voxel_um=(1.0, 1.0, 1.0)), 10_000)
    same = float(np.mean(scene.draw() == draw_in_bounding_boxes(scene)))
    if same < 0.999_99:
        raise AssertionError(f"the two sides agree on {same:.6f} of the voxels only")
    drawn = compare(scene.draw, lambda: draw_in_bounding_boxes(scene), n_repeats=7)
    return Claim(
        "draw: volumes of 256x512x512 with 10,000 rotated ellipsoids per second and core, against bounding boxes in "
        "NumPy",
        value=1 / drawn.ours_s,
        reference=1 / drawn.other_s,
        ratio=drawn.ratio,
        interval=drawn.interval,
        target=4,
    )


def large_against_small() -> Claim:
    """Blocks of 64x128x128 of two grids with as many objects per voxel; both in turn, as the machine's speed varies."""
    small = crowd(Grid(shape_px=(128, 256, 256), voxel_um=(1.0, 1.0, 1.0)), 1_953)
    large = crowd(Grid(shape_px=(1024, 2048, 2048), voxel_um=(1.0, 1.0, 1.0)), 1_000_000)
    speeds: dict[int, list[float]] = {0: [], 1: []}
    order = np.random.default_rng(0).permutation(len(large.grid.boxes(BLOCK)))
    blocks = [small.grid.boxes(BLOCK) * 8, [large.grid.boxes(BLOCK)[i] for i in order[:64]]]
    for scene, boxes in zip((small, large), blocks, strict=True):
        scene.draw(boxes[0])  # makes the index
    for _ in range(9):
        for side, scene in enumerate((small, large)):
            seconds = seconds_of(lambda scene=scene, side=side: draw_blocks(scene, blocks[side]))
            speeds[side].append(64 * np.prod(BLOCK) / seconds / 1e6)
    ratios = [b / a for a, b in zip(speeds[0], speeds[1], strict=True)]
    return Claim(
        "draw: million voxels per second and core, block by block, of 2048x2048x1024 with 1,000,000 objects, against "
        "256x256x128 with 1,953",
        value=float(np.median(speeds[1])),
        reference=float(np.median(speeds[0])),
        ratio=float(np.median(ratios)),
        interval=interval_of_median(ratios),
        target=0.8,
    )


BLOCK = (64, 128, 128)


def draw_blocks(scene: Scene, boxes: list[Box]) -> None:
    for box in boxes:
        scene.draw(box)


def crowd(grid: Grid, n: int) -> Scene:
    """Ellipsoids of 5 to 9 um at random, turned at random."""
    rng = np.random.default_rng(0)
    rotation = np.linalg.qr(rng.standard_normal((n, 3, 3)))[0]
    keys = rng.integers(0, 2**63, n).astype(np.uint64)
    centre, axes = rng.uniform(0, grid.extent_um, (n, 3)), rng.uniform(5, 9, (n, 3))
    return Scene(grid, Objects(centre, axes, rotation, np.ones(n), np.ones(n, np.int32), keys), Ellipsoid())


def draw_in_bounding_boxes(scene: Scene) -> np.ndarray:
    """Evaluate every ellipsoid in the part of the volume that it may reach."""
    grid, objects = scene.grid, scene.objects
    voxel = np.asarray(grid.voxel_um)
    half = np.sqrt(((objects.rotation * objects.semi_axes_um[:, None, :]) ** 2).sum(axis=2))
    low = np.clip(np.floor((objects.centre_um - half) / voxel).astype(int), 0, grid.shape_px)
    high = np.clip(np.ceil((objects.centre_um + half) / voxel).astype(int), 0, grid.shape_px)
    labels, nearest = np.zeros(grid.shape_px, np.int32), np.ones(grid.shape_px, np.float32)
    for i, (centre, axes, turn) in enumerate(
        zip(objects.centre_um, objects.semi_axes_um, objects.rotation, strict=True)
    ):
        part = tuple(map(slice, low[i], high[i]))
        offset = np.ix_(
            *(
                (np.arange(a, b) + 0.5) * v - c
                for a, b, v, c in zip(low[i], high[i], voxel, centre, strict=True)
            )
        )
        local = [sum(d * turn[k, j] for k, d in enumerate(offset)) / axes[j] for j in range(3)]
        distance = np.sqrt(local[0] ** 2 + local[1] ** 2 + local[2] ** 2)
        is_nearer = distance < nearest[part]
        nearest[part][is_nearer] = distance[is_nearer]
        labels[part][is_nearer] = i + 1
    return labels


def draw_on_full_frames(scene: Scene) -> np.ndarray:
    """Evaluate every ellipse on the whole image, as one writes it first."""
    grid, objects = scene.grid, scene.objects
    y, x = (
        (index + 0.5) * step for index, step in zip(np.indices(grid.shape_px), grid.voxel_um, strict=True)
    )
    labels, nearest = np.zeros(grid.shape_px, np.int32), np.ones(grid.shape_px)
    for i, (centre, axes, turn) in enumerate(
        zip(objects.centre_um, objects.semi_axes_um, objects.rotation, strict=True)
    ):
        dy, dx = y - centre[0], x - centre[1]
        u = (dy * turn[0, 0] + dx * turn[1, 0]) / axes[0]
        v = (dy * turn[0, 1] + dx * turn[1, 1]) / axes[1]
        distance = np.sqrt(u * u + v * v)
        is_nearer = distance < nearest
        nearest[is_nearer] = distance[is_nearer]
        labels[is_nearer] = i + 1
    return labels
