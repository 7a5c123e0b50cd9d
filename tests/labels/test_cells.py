"""Cells: amounts, regions, arrangements, populations."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt
from scipy.spatial import cKDTree

from cellsynth.core.errors import InputError, RecipeError
from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.io.labels import write_labels
from cellsynth.io.tiff import write_tiff
from cellsynth.labels.base import registry
from cellsynth.labels.regions import registry as regions
from cellsynth.recipe import load_recipe

VOLUME = Grid(shape_px=(40, 96, 104), voxel_um=(1.5, 0.7, 0.6))
PLANE = Grid(shape_px=(220, 240), voxel_um=(0.7, 0.6))
BALL = {"kind": "ellipsoid", "semi_axes_um": [28.0]}


def scene_of(key, grid=VOLUME, **values):
    return registry.parse({"kind": "cells", **values}).build(grid)(key)


def is_inside(scene, depth=0.0):
    return scene.tissue.in_box(scene.grid, scene.grid.box) > depth


@pytest.mark.parametrize("fraction", [0.2, 0.5])
def test_cells_fill_the_fraction_of_the_region_that_was_asked_for(key, fraction):
    scene = scene_of(key, fraction=fraction, region=BALL)
    labels = scene.draw()
    assert not labels[~is_inside(scene, -0.8)].any()
    assert (labels[is_inside(scene)] > 0).mean() == pytest.approx(fraction, abs=0.05)


def test_a_number_of_cells_is_met_in_a_region(key):
    assert len(scene_of(key, n_cells=60, region=BALL).objects) == 60


def test_density_is_per_volume_and_per_area(key):
    scene = scene_of(key, density=6e5, region=BALL)
    volume_mm3 = is_inside(scene).sum() * 1.5 * 0.7 * 0.6 / 1e9
    assert len(scene.objects) == pytest.approx(6e5 * volume_mm3, rel=0.05)
    plane = scene_of(key, PLANE, density=3000.0, populations=[{"radius_um": 3.0}])
    centre = plane.objects.centre_um
    n = int(((centre > 0) & (centre < PLANE.extent_um)).all(axis=1).sum())
    assert n == pytest.approx(3000 * np.prod(PLANE.extent_um) / 1e6, abs=12)


def test_a_shell_has_an_empty_core(key):
    scene = scene_of(key, fraction=0.4, region={**BALL, "core": 0.5}, populations=[{"radius_um": [2.5, 3.5]}])
    offset = np.stack(np.meshgrid(*[np.arange(n) for n in VOLUME.shape_px], indexing="ij"), -1) + 0.5
    distance = np.linalg.norm(offset * VOLUME.voxel_um - np.array(VOLUME.extent_um) / 2, axis=-1)
    labels = scene.draw()
    assert not labels[distance < 13.2].any()
    assert (labels[(distance > 14) & (distance < 28)] > 0).mean() == pytest.approx(0.4, abs=0.07)


def test_lumens_are_empty_and_have_their_size():
    region = regions.parse({**BALL, "n_lumens": 2, "lumen_radius_um": 7.0})
    assert region.is_random
    solid = regions.parse(BALL)
    lumens = (solid.field(VOLUME).in_box(VOLUME, VOLUME.box) > 0) & (
        region.field(VOLUME).in_box(VOLUME, VOLUME.box) <= 0
    )
    one = 4 / 3 * np.pi * 7**3
    found = lumens.sum() * np.prod(VOLUME.voxel_um)
    assert one * 0.95 < found < 2 * one * 1.05  # they may meet


def test_depth_in_a_mask_is_that_of_a_distance_transform(tmp_path):
    mask = np.zeros((40, 48, 52), np.uint8)
    mask[8:32, 10:40, 12:44] = 1
    write_labels(tmp_path / "mask.tif", mask)
    grid = Grid(shape_px=(40, 48, 52), voxel_um=(1.5, 1.4, 1.2))
    depth = (
        regions.parse({"kind": "mask", "path": str(tmp_path / "mask.tif")}).field(grid).in_box(grid, grid.box)
    )
    expected = distance_transform_edt(mask, sampling=grid.voxel_um)
    inside = mask > 0
    assert np.abs(depth[inside] - (expected[inside] - 0.6)).max() < 1.6
    assert ((depth > 0) != inside).mean() < 0.03


def test_an_empty_mask_and_one_of_another_kind_are_refused(tmp_path):
    write_labels(tmp_path / "empty.tif", np.zeros((5, 31, 47), np.uint8))
    values = {"region": {"kind": "mask", "path": str(tmp_path / "empty.tif")}}
    with pytest.raises(InputError, match="the mask has nothing in it"):
        registry.parse({"kind": "cells", **values}).build(VOLUME)
    with pytest.raises(RecipeError, match="has 3 axes and the grid 2"):
        registry.parse({"kind": "cells", **values}).build(PLANE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fraction": 0.92}, "cells fill at most 0.9 of a plane and 0.74 of a volume"),
        ({"n_cells": 5, "fraction": 0.2}, "give one of n_cells, density and fraction"),
        ({"fraction": None}, "saw none"),
        ({"populations": []}, "populations"),
        ({"region": {"kind": "bal"}}, "no region is called 'bal'"),
        ({"arrangement": "paked"}, "did you mean 'packed'"),
    ],
)
def test_what_does_not_describe_cells_is_refused(values, message):
    with pytest.raises(RecipeError, match=message):
        registry.parse({"kind": "cells", **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"n_cells": 100_000, "region": BALL}, "100000 cells of .* um3 are .* times .* which are .* cells"),
        ({"region": {"kind": "ellipsoid", "centre_um": [900.0]}}, "nothing of it lies in the grid"),
        ({"region": {"kind": "ellipsoid", "semi_axes_um": [3.0, 4.0]}}, "semi_axes_um has 2 numbers"),
    ],
)
def test_what_does_not_fit_the_grid_is_refused_before_anything_is_made(values, message):
    config = registry.parse({"kind": "cells", **values})
    with pytest.raises(RecipeError, match=message):
        config.build(VOLUME)


def test_populations_have_their_shares_and_sizes(key):
    kinds = [{"share": 3, "radius_um": 2.0}, {"share": 1, "radius_um": 3.0, "intensity": 2.0}]
    objects = scene_of(key, n_cells=400, region=BALL, populations=kinds).objects
    is_second = objects.class_id == 2
    assert is_second.mean() == pytest.approx(0.25, abs=0.07)
    radius = np.cbrt(np.prod(objects.semi_axes_um, axis=1))
    assert np.allclose(radius[is_second], 3.0)
    assert np.allclose(radius[~is_second], 2.0)
    assert np.allclose(objects.intensity, np.where(is_second, 2.0, 1.0))


def test_orientation_follows_the_depth(key):
    thin = {"axis_ratio": 0.5, "radius_um": 3.0}
    for orientation, along in (("upright", 1.0), ("flat", 0.0)):
        objects = scene_of(
            key, n_cells=40, region=BALL, populations=[{**thin, "orientation": orientation}]
        ).objects
        assert np.allclose(np.abs(objects.rotation[:, 0, 2]), along, atol=1e-9)


def test_clusters_are_denser_than_chance(key):
    def mean_gap(arrangement):
        objects = scene_of(
            key, PLANE, n_cells=60, populations=[{"radius_um": 2.0}], arrangement=arrangement
        ).objects
        distance = np.linalg.norm(objects.centre_um[:, None] - objects.centre_um, axis=-1)
        return np.sort(distance, axis=1)[:, 1:5].mean()

    clustered = mean_gap({"kind": "clustered", "cluster_size": 10, "alone": 0.0})
    assert clustered < 0.7 * mean_gap({"kind": "random"})


def test_a_monolayer_lies_in_its_layer(key):
    layer = {"kind": "slab", "top_um": 10.0, "thickness_um": 12.0}
    labels = scene_of(key, fraction=0.3, region=layer, populations=[{"orientation": "flat"}]).draw()
    planes = np.flatnonzero(labels.any(axis=(1, 2)))
    assert (planes[0] + 0.5) * 1.5 > 9
    assert (planes[-1] + 0.5) * 1.5 < 23


def test_overriding_one_amount_replaces_the_other(tmp_path):
    (tmp_path / "r.yaml").write_text("name: r\nlabels: {kind: cells, fraction: 0.4}\n")
    recipe = load_recipe(tmp_path / "r.yaml", ["labels.n_cells=7"])
    assert (recipe.labels.n_cells, recipe.labels.fraction) == (7, None)


def test_clusters_at_the_border_are_not_pressed_onto_it(caplog):
    """Forty cells around one place near a corner: those that started beyond the border find room inside."""
    corner = Grid(shape_px=(61, 83), voxel_um=(0.5, 0.5))
    clusters = {"kind": "clustered", "cluster_size": 40, "alone": 0.0, "fraction": 0.7}
    config = registry.parse(
        {
            "kind": "cells",
            "n_cells": 20,
            "arrangement": clusters,
            "populations": [{"radius_um": 2.0, "axis_ratio": 0.4}],
        }
    )
    build = config.build(corner)
    for seed in (1, 4, 5):
        build(Key.from_seed(seed))
    assert not caplog.records


def distances_between(objects, slight, n_points=360):
    """Smallest distance of the outlines of every two ellipses, from points on them; -1 where they overlap.

    Points that are deeper in the other one than `slight` of the way to its centre are an overlap.
    """
    turn = 2 * np.pi * np.arange(n_points) / n_points
    circle = np.column_stack([np.sin(turn), np.cos(turn)])
    found = []
    outlines = [
        c + (circle * a) @ r.T
        for c, a, r in zip(objects.centre_um, objects.semi_axes_um, objects.rotation, strict=True)
    ]
    for i, one in enumerate(outlines):
        for j in range(i + 1, len(outlines)):
            if np.linalg.norm(objects.centre_um[i] - objects.centre_um[j]) > 40:
                continue
            local = (one - objects.centre_um[j]) @ objects.rotation[j] / objects.semi_axes_um[j]
            depth = np.linalg.norm(local, axis=1).min()
            gap = np.linalg.norm(one[:, None] - outlines[j], axis=-1).min()
            found.append(-1.0 if depth < 1 - slight else gap)
    return np.array(found)


@pytest.mark.parametrize("gap", [0.0, 2.0])
@pytest.mark.parametrize("arrangement", ["random", "packed"])
def test_elongated_cells_keep_the_distance_that_was_asked_for(key, arrangement, gap):
    objects = scene_of(
        key,
        Grid(shape_px=(160, 150), voxel_um=(1.0, 1.0)),
        fraction=0.25,
        arrangement={"kind": arrangement, "min_gap_um": gap},
        populations=[{"radius_um": [5, 7], "axis_ratio": [0.25, 0.3]}],
    ).objects
    # Where there is no gap packing lets cells overlap by a hundredth of the distance of contact; of these cells that is
    # up to a twelfth of the short axis.
    found = distances_between(objects, slight=0.12 if arrangement == "packed" and gap == 0 else 0.005)
    assert len(objects) > 30
    assert found.min() >= (gap - 0.02 if gap else 0.0)
    assert np.sort(found)[:5].mean() < gap + 1.0


def test_a_region_that_goes_on_beyond_the_grid_is_cut_by_it_and_does_not_end_there(key):
    grid = Grid(shape_px=(12, 150, 140), voxel_um=(2.0, 0.8, 0.9))
    region = {"kind": "slab", "top_um": 6, "thickness_um": 12}
    objects = scene_of(
        key, grid, n_cells=70, region=region, populations=[{"radius_um": [4, 6], "orientation": "flat"}]
    ).objects
    inside = np.all((objects.centre_um > 0) & (objects.centre_um < grid.extent_um), axis=1)
    assert inside.sum() == pytest.approx(70, abs=12)
    assert (~inside).sum() > 5
    assert not np.isclose(objects.centre_um[:, 1:], 0).any()
    assert not np.isclose(objects.centre_um[:, 1:], grid.extent_um[1:]).any()


def test_a_cluster_is_as_large_as_the_cells_there_are(key, caplog):
    objects = scene_of(
        key,
        Grid(shape_px=(100, 110), voxel_um=(1.0, 1.0)),
        n_cells=20,
        arrangement={"kind": "clustered", "cluster_size": 100_000},
        populations=[{"radius_um": [4, 5]}],
    ).objects
    assert len(objects) > 10
    assert "overlap" not in caplog.text


def test_a_gap_for_which_there_is_no_room_is_refused():
    config = registry.parse(
        {"kind": "cells", "n_cells": 30, "arrangement": {"kind": "packed", "min_gap_um": 1000.0}}
    )
    with pytest.raises(RecipeError, match="a smaller min_gap_um"):
        config.build(Grid(shape_px=(100, 110), voxel_um=(1.0, 1.0)))


def test_few_small_cells_in_much_space_take_no_memory(key):
    grid = Grid(shape_px=(8, 9, 10), voxel_um=(9000.0, 9000.0, 9000.0))
    for kind in ("packed", "random"):
        config = registry.parse(
            {"kind": "cells", "n_cells": 30, "arrangement": kind, "populations": [{"radius_um": 3.0}]}
        )
        assert len(config.build(grid)(key).objects) == 0  # far below a voxel


def test_cells_that_are_too_small_to_be_seen_are_told_of(key, caplog):
    grid = Grid(shape_px=(100, 110), voxel_um=(10.0, 10.0))
    scene_of(key, grid, n_cells=100, populations=[{"radius_um": 5.0}])
    assert "too small for voxels of [10.0, 10.0] um" in caplog.text


def test_a_mask_that_the_grid_stretches_is_told_of(key, tmp_path, caplog):
    path = tmp_path / "mask.tif"
    pixels = np.zeros((50, 60), np.uint8)
    pixels[5:45, 5:55] = 255
    write_tiff(path, pixels, axes="YX", voxel_um=(2.0, 2.0))
    values = {
        "n_cells": 5,
        "region": {"kind": "mask", "path": str(path)},
        "populations": [{"radius_um": 5.0}],
    }
    scene_of(key, Grid(shape_px=(100, 120), voxel_um=(1.0, 1.0)), **values)
    assert "stretched" not in caplog.text
    scene_of(key, Grid(shape_px=(100, 60), voxel_um=(1.0, 1.0)), **values)
    assert "voxels of [2.0, 2.0] um become [2.0, 1.0] um" in caplog.text


@pytest.mark.parametrize("axes", [(20.0, 31.0, 45.0), (30.0, 30.0, 30.0), (20.0, 20.0, 45.0)])
def test_the_depth_deep_in_an_ellipsoid_is_the_distance_to_its_surface(axes):
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(200_000, 3))
    surface = directions / np.linalg.norm(directions, axis=1, keepdims=True) * axes
    points = rng.uniform(-1, 1, (300, 3))
    points = np.concatenate([points[np.linalg.norm(points, axis=1) < 0.79] * axes, np.zeros((1, 3))])
    grid = Grid(shape_px=(100, 100, 100), voxel_um=(1.0, 1.0, 1.0))
    region = regions.parse({"kind": "ellipsoid", "semi_axes_um": list(axes)})
    found = region.depth_um(points + 50, grid, Key.from_seed(0))
    expected = cKDTree(surface).query(points)[0]
    assert found == pytest.approx(expected, abs=0.15)
    assert (found <= expected + 1e-3).all()
