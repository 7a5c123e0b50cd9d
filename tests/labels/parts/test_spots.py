"""Spots: how many, where, how they cluster; their labels and their light."""

from dataclasses import replace

import numpy as np
import pytest

from cellsynth.core.count import Count
from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Box, Grid
from cellsynth.core.rng import Key
from cellsynth.core.scene import Scene
from cellsynth.core.shapes import scene_from_labels
from cellsynth.labels.base import registry as generators
from cellsynth.labels.parts import registry
from cellsynth.recipe import Recipe, make_sample
from cellsynth.render._spots import spot_light

GRIDS = {
    2: Grid(shape_px=(161, 143), voxel_um=(0.4, 0.5)),
    3: Grid(shape_px=(23, 81, 95), voxel_um=(1.0, 0.5, 0.4)),
}
CELLS = {
    "kind": "cells",
    "fraction": 0.4,
    "populations": [{"radius_um": [5.0, 6.0], "axis_ratio": [0.4, 0.6]}],
}
both = pytest.mark.parametrize("ndim", [2, 3])


def cells_on(grid, key) -> Scene:
    return generators.parse(CELLS).build(grid)(key)


def spots_of(scene, key, **values) -> Scene:
    return registry.parse({"kind": "spots", **values}).build(scene.grid)(scene, key.child("part"))


def labels_under(scene, spots):
    voxel = np.floor(spots.objects.centre_um / scene.grid.voxel_um).astype(int)
    return scene.draw()[tuple(voxel.T)]


@both
def test_every_spot_lies_in_its_cell(key, ndim):
    scene = cells_on(GRIDS[ndim], key)
    spots = spots_of(scene, key, number=[3, 20], cluster={"n_spots": 3, "spread_um": 2.0})
    assert len(spots.objects) > 50
    assert np.array_equal(labels_under(scene, spots), spots.objects.parent)
    assert (spots.objects.parent > 0).all()


@both
def test_every_spot_shows_in_the_labels_and_boxes_agree(key, ndim):
    scene = cells_on(GRIDS[ndim], key)
    spots = spots_of(scene, key, number=12, radius_um=0.05)
    whole = spots.draw()
    assert set(np.unique(whole)) - {0} == set(range(1, len(spots.objects) + 1))
    rng = np.random.default_rng(0)
    for _ in range(8):
        low = [int(rng.integers(0, n - 3)) for n in spots.grid.shape_px]
        high = [int(rng.integers(a + 1, n + 1)) for a, n in zip(low, spots.grid.shape_px, strict=True)]
        box = Box(tuple(low), tuple(high))
        assert np.array_equal(spots.draw(box), whole[box.slices])


@both
def test_cells_have_the_number_that_was_asked_for(key, ndim):
    smaller = {**CELLS, "populations": [{"radius_um": 3.0}]}
    scene = generators.parse(smaller).build(GRIDS[ndim])(key)
    inner = ~np.isin(np.arange(1, len(scene.objects) + 1), border_labels(scene.draw()))
    for number, mean, variance in (
        (7, 7, 0),
        ([2, 8], 5, 4),
        ({"mean": 6}, 6, 6),
        ({"mean": 6, "fano": 4}, 6, 24),
    ):
        counts = np.concatenate(
            [
                np.bincount(
                    spots_of(keyed(scene, i), key, number=number).objects.parent, minlength=len(inner) + 1
                )[1:][inner]
                for i in range(30)
            ]
        )
        assert counts.mean() == pytest.approx(mean, abs=4 * np.sqrt(max(variance, 0.01) / len(counts)))
        assert counts.var() == pytest.approx(variance, rel=0.25)


def border_labels(labels):
    edges = [np.moveaxis(labels, a, 0)[e].ravel() for a in range(labels.ndim) for e in (0, -1)]
    return np.unique(np.concatenate(edges))


def keyed(scene, i) -> Scene:
    """The same cells with other keys."""
    keys = np.array([Key.from_seed(i).child(n).uint64() for n in range(len(scene.objects))], np.uint64)
    return replace(scene, objects=replace(scene.objects, key=keys))


def test_spots_of_a_cell_do_not_depend_on_other_cells(key):
    grid = GRIDS[2]
    scene = cells_on(grid, key)
    all_of_them = spots_of(scene, key, number=9)
    one = 4
    alone = scene_from_labels((scene.draw() == one).astype(np.int32), grid, key)
    alone = replace(alone, objects=replace(alone.objects, key=scene.objects.key[one - 1 : one]))
    again = spots_of(alone, key, number=9)
    own = all_of_them.objects.centre_um[all_of_them.objects.parent == one]
    inner = one not in border_labels(scene.draw())
    if inner:
        assert again.objects.centre_um == pytest.approx(own)


def test_two_kinds_of_spots_are_independent(key):
    """Of two colours of one cell no more spots lie together than chance brings."""
    scene = cells_on(GRIDS[2], key)
    first, second = (
        registry.parse({"kind": "spots", "number": 9, "hosts": 0.5}).build(scene.grid)(scene, key.child(name))
        for name in ("red", "green")
    )
    near = np.abs(first.objects.centre_um[:, None] - second.objects.centre_um[None]).max(axis=2) < 0.2
    assert near.mean() < 0.01
    assert set(first.objects.parent) != set(second.objects.parent)


def test_hosts_are_a_share_of_the_cells(key):
    scene = generators.parse({**CELLS, "populations": [{"radius_um": 1.5}]}).build(GRIDS[2])(key)
    hosts = np.unique(spots_of(scene, key, number=5, hosts=0.3).objects.parent)
    n = len(scene.objects)
    assert len(hosts) / n == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / n))


@both
def test_free_spots_have_their_density_and_know_the_cell_below(key, ndim):
    grid = GRIDS[ndim]
    scene = cells_on(grid, key)
    unit = 1e6 if ndim == 2 else 1e9
    density = 400 * unit / np.prod(grid.extent_um)
    spots = spots_of(scene, key, where="free", number=None, density=density)
    assert len(spots.objects) == pytest.approx(400, abs=80)
    assert np.array_equal(labels_under(scene, spots), spots.objects.parent)
    assert (spots.objects.parent == 0).any()


def test_a_matrix_stretches_clusters(key):
    """The published elongated clusters: offsets are a fixed matrix times normal numbers."""
    grid = Grid(shape_px=(1500, 1500), voxel_um=(0.2, 0.2))
    empty = generators.parse({"kind": "cells", "n_cells": 0}).build(grid)(key)
    matrix = [[2.0, 0.6], [-0.4, 0.7]]
    offsets = []
    for i in range(60):
        cluster = {"n_spots": 60, "spread_um": 1.5, "matrix": matrix}
        spots = spots_of(empty, key.child(i), where="free", number=1, cluster=cluster)
        centre = spots.objects.centre_um
        if centre.min() > 20 and centre.max() < 280:
            offsets.append(centre - centre.mean(axis=0))
    found = np.cov(np.concatenate(offsets).T) * 60 / 59
    assert found == pytest.approx(2.25 * np.array(matrix) @ np.array(matrix).T, rel=0.15, abs=0.25)


@both
def test_clusters_follow_the_second_moments_of_their_cell(key, ndim):
    """Of long cells most of the spread of a cluster is along the cell."""
    scene = cells_on(GRIDS[ndim], key)
    spots = spots_of(
        scene, key, number=1, cluster={"n_spots": 40, "spread_um": 0.7, "stretch": "cell"}, radius_um=0.05
    )
    shares = []
    for label in np.unique(spots.objects.parent):
        own = spots.objects.centre_um[spots.objects.parent == label]
        if len(own) < 20:
            continue
        along = scene.objects.longest_axis[label - 1]
        offset = own - own.mean(axis=0)
        shares.append(((offset @ along) ** 2).sum() / (offset**2).sum())
    assert np.mean(shares) > (0.65 if ndim == 2 else 0.5)


@both
def test_light_does_not_depend_on_where_between_voxels_a_spot_lies(key, ndim):
    grid = GRIDS[ndim]
    scene = cells_on(grid, key)
    spots = spots_of(scene, key, number=1, radius_um=0.2, intensity=1.0).objects.take(np.arange(1))
    rng = np.random.default_rng(0)
    unit = np.pi * 0.2**2 if ndim == 2 else 4 / 3 * np.pi * 0.2**3
    for _ in range(20):
        middle = np.array([grid.extent_um]) / 2 + rng.uniform(-1, 1, (1, ndim))
        light = spot_light(replace(spots, centre_um=middle), grid, grid.box)
        assert light.sum(dtype=float) == pytest.approx(unit / np.prod(grid.voxel_um), rel=1e-6)
        part = Box(tuple(n // 3 for n in grid.shape_px), tuple(n // 2 + 3 for n in grid.shape_px))
        assert np.array_equal(spot_light(replace(spots, centre_um=middle), grid, part), light[part.slices])


def test_no_cells_no_spots(key):
    scene = generators.parse({"kind": "cells", "n_cells": 0}).build(GRIDS[2])(key)
    spots = spots_of(scene, key, number=5)
    assert len(spots.objects) == 0
    assert not spots.draw().any()


@pytest.mark.parametrize("count", [5, [2, 9], {"mean": 3.5}, {"mean": 3.5, "fano": 2.0}])
def test_counts_survive_their_way_through_plain_values(count):
    parsed = Count.model_validate(count)
    assert Count.model_validate(parsed.model_dump()) == parsed
    assert parsed.model_dump() == count


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cluster": {"matrix": [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}}, "3 x 3 and the grid"),
        ({"cluster": {"matrix": [[1, 2], [2, 4]]}}, "singular"),
        ({"cluster": {"matrix": [[1, 2]]}}, "2 x 2 or 3 x 3"),
        ({"radius_um": -1.0}, "radius_um"),
        ({"radius_um": 0.0}, "radius"),
        ({"where": "free", "hosts": 0.5}, "free spots have no cells"),
        ({"number": None}, "either number or density"),
        ({"density": 5.0, "number": None}, "density is of free spots"),
        ({"where": "free", "cluster": {"stretch": "cell"}}, "needs cells"),
        ({"number": -3}, "number"),
        ({"number": {"mean": 3, "fano": 0.5}}, "fano"),
    ],
)
def test_what_makes_no_sense_is_refused(values, message):
    with pytest.raises(RecipeError, match=message):
        registry.parse({"kind": "spots", **values}).build(GRIDS[2])


def test_a_recipe_has_parts_and_channels_that_show_them(tmp_path):
    recipe = Recipe.parse(
        {
            "name": "dots",
            "grid": {"shape_px": [71, 83], "voxel_um": [0.3, 0.3]},
            "labels": {"kind": "cells", "n_cells": 4},
            "parts": {"dots": {"kind": "spots", "number": 6, "intensity": 50.0}},
            "render": {"kind": "fluorescence", "channels": [{}, {"stains": {"dots": 1.0}}]},
        },
        source="test",
    )
    assert Recipe.parse(recipe.to_dict()) == recipe
    sample = make_sample(recipe, 0)
    dots = sample.parts["dots"]
    assert sample.image[1][dots > 0].mean() > sample.image[1][dots == 0].mean() + 0.02
    assert sample.image[0][dots > 0].mean() == pytest.approx(
        sample.image[0][(dots == 0) & (sample.labels > 0)].mean(), rel=0.3
    )
    assert set(sample.tables["dots"]["cell_id"]) <= set(sample.tables["cells"]["label"])


def test_free_spots_that_find_no_voxel_of_their_own_are_told_of(key, caplog):
    scene = cells_on(GRIDS[2], key)
    lost = spots_of(scene, key, where="free", number=40, cluster={"n_spots": 20, "spread_um": 1e9})
    assert not len(lost.objects)
    assert "0 of 800 found a voxel of their own" in caplog.text
    caplog.clear()
    assert len(spots_of(scene, key, where="free", number=40).objects) == 40
    assert "found a voxel" not in caplog.text


def test_a_density_beyond_memory_is_refused_before_memory_is_taken(key):
    with pytest.raises(RecipeError, match="are asked for in one image"):
        spots_of(cells_on(GRIDS[2], key), key, where="free", density=1e15)
