"""Images of 512x512 with 100 cells: labels against a loop over full frames, and labels with rendering."""

from collections.abc import Iterator
from itertools import count

import numpy as np

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.core.scene import Scene
from cellsynth.labels.ellipsoids import Ellipsoids
from cellsynth.render.microscope import Microscope

from ._claim import Claim
from ._measure import compare, repeat

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
