"""Populations: shapes, sizes, sub-cultures with rooms of their own, and what no label shows."""

import logging
import os

import numpy as np
import pytest

from cellsynth.core.errors import InputError, RecipeError
from cellsynth.core.grid import Grid
from cellsynth.core.shapes import Ellipsoid, Mixed, StarConvex
from cellsynth.io.prototypes import write_prototypes
from cellsynth.labels.base import registry
from cellsynth.labels.regions import registry as regions
from tests.core.shapes.scenes import bank_of

VOLUME = Grid(shape_px=(40, 96, 104), voxel_um=(1.5, 0.7, 0.6))
PLANE = Grid(shape_px=(220, 240), voxel_um=(0.7, 0.6))
BALL = {"kind": "ellipsoid", "semi_axes_um": [28.0]}
ISLANDS = {"kind": "balls", "n_balls": 2, "radius_um": [11.0, 12.0]}


def scene_of(key, grid=VOLUME, **values):
    return registry.parse({"kind": "cells", **values}).build(grid)(key)


def labelled_and_debris(grid, key, **values):
    populations = [
        {"name": "round", "radius_um": 3.0},
        {"name": "debris", "radius_um": 3.0, "shape": "fragments", "is_labelled": False, "intensity": 10.0},
        {"name": "long", "radius_um": 3.0, "shape": "star_convex"},
    ]
    return scene_of(key, grid, populations=populations, **values)


@pytest.mark.parametrize("grid", [PLANE, VOLUME], ids=["2d", "3d"])
def test_what_is_not_labelled_is_in_a_scene_of_its_own(grid, key):
    scene = labelled_and_debris(grid, key, fraction=0.4, region=BALL)
    debris = scene.unlabelled
    assert scene.class_names == ("round", "long")
    assert set(scene.objects.class_id) == {1, 2}
    assert scene.shape.shapes == {1: Ellipsoid(), 2: StarConvex()}
    assert debris.class_names == ("debris",)
    assert set(debris.objects.class_id) == {1}
    assert (debris.objects.intensity == 10).all()
    assert debris.grid == scene.grid
    assert debris.tissue is scene.tissue
    assert debris.draw().any()
    assert len(np.unique(scene.draw())) == len(scene.objects) + 1


def test_debris_takes_its_place_among_the_cells(key):
    """As many whole cells as there are pieces of cells, and none of them in one another's place."""
    scene = labelled_and_debris(VOLUME, key, n_cells=90, region=BALL)
    cells, debris = scene.objects, scene.unlabelled.objects
    assert len(cells) + len(debris) == 90
    centres = np.concatenate([cells.centre_um, debris.centre_um])
    axes = np.concatenate([cells.semi_axes_um, debris.semi_axes_um]).min(axis=1)
    distance = np.linalg.norm(centres[:, None] - centres, axis=-1) + 1e9 * np.eye(90)
    assert (distance > 0.97 * (axes[:, None] + axes)).all()


def test_one_population_keeps_one_shape_and_its_name(key):
    scene = scene_of(key, n_cells=5, region=BALL, populations=[{"name": "nuclei", "shape": "star_convex"}])
    assert scene.shape == StarConvex()
    assert scene.class_names == ("nuclei",)
    assert scene.unlabelled is None
    alike = scene_of(key, n_cells=5, region=BALL, populations=[{}, {"name": "others"}])
    assert alike.shape == Ellipsoid()
    assert isinstance(labelled_and_debris(VOLUME, key, n_cells=9, region=BALL).shape, Mixed)


def test_rods_have_the_length_and_width_that_was_asked_for(key):
    rods = {"kind": "rod", "length_um": [8.0, 12.0], "width_um": 4.0}
    for grid in (PLANE, VOLUME):
        axes = scene_of(key, grid, n_cells=12, populations=[{"shape": rods}]).objects.semi_axes_um
        assert (axes[:, :-1] == 2.0).all()
        assert ((axes[:, -1] >= 4.0) & (axes[:, -1] <= 6.0)).all()
    with pytest.raises(RecipeError, match="both length_um and width_um"):
        registry.parse({"kind": "cells", "populations": [{"shape": {"kind": "rod", "length_um": 5}}]})


@pytest.mark.parametrize("grid", [PLANE, VOLUME], ids=["2d", "3d"])
def test_prototypes_have_the_size_they_were_imaged_with_or_that_of_the_population(grid, key, tmp_path):
    bank = bank_of(grid.ndim)
    write_prototypes(tmp_path / "bank.npz", bank)

    def radii(**values):
        shape = {"kind": "prototypes", "path": str(tmp_path / "bank.npz"), "scale": [1, 1], **values}
        cells = scene_of(key, grid, n_cells=30, populations=[{"radius_um": 2.5, "shape": shape}])
        return np.prod(cells.objects.semi_axes_um, axis=1) ** (1 / grid.ndim)

    own = np.prod(bank.tables.axes, axis=1) ** (1 / grid.ndim)
    assert np.abs(radii()[:, None] - own).min(axis=1) == pytest.approx(0, abs=1e-9)
    assert radii(is_size_kept=False) == pytest.approx(2.5)


def test_a_bank_that_was_written_anew_is_read_anew(key, tmp_path):
    path = tmp_path / "bank.npz"
    config = registry.parse(
        {"kind": "cells", "n_cells": 3, "populations": [{"shape": {"kind": "prototypes", "path": str(path)}}]}
    )
    sizes = []
    for n in (1, 3):
        write_prototypes(path, bank_of(2, n))
        os.utime(path, ns=(n * 10**9, n * 10**9))
        sizes.append(len(config.build(PLANE)(key).shape.bank))
    assert sizes == [1, 3]


def test_cells_of_a_sub_culture_are_in_its_balls_and_the_others_outside(key):
    populations = [{"radius_um": 2.5}, {"radius_um": 2.0, "region": ISLANDS}]
    for i in range(3):
        scene = scene_of(key.child(i), fraction=0.35, region=BALL, populations=populations)
        own = key.child(i).child("region", 1)
        islands = regions.parse(ISLANDS).field(VOLUME, 0.0, own, scene.tissue).in_box(VOLUME, VOLUME.box)
        classes = np.concatenate([[0], scene.objects.class_id])[scene.draw()]
        slack = 0.7  # about a voxel
        assert (islands[classes == 2] > -slack).all()
        assert (islands[classes == 1] < slack).all()
        # The fraction holds in each room.
        assert (classes[islands > 0] > 0).mean() == pytest.approx(0.35, abs=0.06)
        inside = scene.tissue.in_box(VOLUME, VOLUME.box) > 0
        assert (classes[inside & (islands < 0)] > 0).mean() == pytest.approx(0.35, abs=0.06)


@pytest.mark.parametrize("grid", [PLANE, VOLUME], ids=["2d", "3d"])
def test_balls_are_wholly_inside_apart_and_elsewhere_in_every_sample(grid, key):
    balls = regions.parse({"kind": "balls", "n_balls": 3, "radius_um": [6.0, 9.0]})
    around = regions.parse(BALL).field(grid)
    places = set()
    for i in range(5):
        centre, radius = balls._placed(grid, key.child(i), around)
        assert len(centre) == 3
        offset = centre[:, 3 - grid.ndim :] - np.asarray(grid.extent_um) / 2
        assert (np.linalg.norm(offset, axis=1) + radius < 28.3).all()
        distance = np.linalg.norm(centre[:, None] - centre, axis=-1)
        apart = radius[:, None] + radius
        assert (distance[~np.eye(3, dtype=bool)] >= apart[~np.eye(3, dtype=bool)]).all()
        places.add(centre.tobytes())
    assert len(places) == 5


def test_a_ball_that_is_too_large_lies_as_deep_as_it_can_and_more_than_fit_are_told(key, caplog):
    around = regions.parse(BALL).field(VOLUME)
    large = regions.parse({"kind": "balls", "n_balls": 1, "radius_um": 40.0})
    centre, _ = large._placed(VOLUME, key, around)
    assert np.linalg.norm(centre[0] - np.array(VOLUME.extent_um) / 2) < 5
    with caplog.at_level(logging.WARNING):
        many = regions.parse({"kind": "balls", "n_balls": 9, "radius_um": 15.0})
        assert len(many._placed(VOLUME, key, around)[0]) < 9
    assert "of 9 balls found a place" in caplog.text


def test_lumens_lie_elsewhere_in_every_sample(key):
    build = registry.parse({"kind": "cells", "region": {**BALL, "n_lumens": 2}}).build(VOLUME)
    tissues = {build(key.child(i)).tissue.values.tobytes() for i in range(3)}
    assert len(tissues) == 3
    fixed = registry.parse({"kind": "cells", "n_cells": 3, "region": BALL}).build(VOLUME)
    assert fixed(key).tissue is fixed(key.child(1)).tissue
    populations = [{}, {"radius_um": 2.0, "region": ISLANDS}]
    islands = registry.parse(
        {"kind": "cells", "n_cells": 9, "region": BALL, "populations": populations}
    ).build(VOLUME)
    assert islands(key).tissue is islands(key.child(1)).tissue


def test_a_number_of_cells_is_shared_by_volume_and_share(key):
    populations = [
        {"radius_um": 1.5, "share": 1},
        {"radius_um": 1.5, "share": 4, "region": {"kind": "slab", "top_um": 0, "thickness_um": 30}},
    ]
    region = {"kind": "slab", "top_um": 0, "thickness_um": 60}
    objects = scene_of(key, n_cells=200, region=region, populations=populations).objects
    objects = objects.take(np.all((objects.centre_um > 0) & (objects.centre_um < VOLUME.extent_um), axis=1))
    assert len(objects) == pytest.approx(200, abs=12)  # some centres lie in the margin
    # The halves are equally large, so that four of five cells are of the second.
    assert (objects.class_id == 2).mean() == pytest.approx(0.8, abs=0.02)


def test_populations_with_equal_regions_share_one(key):
    populations = [{}, {"radius_um": 2.0, "region": ISLANDS}, {"radius_um": 1.5, "region": ISLANDS}]
    objects = scene_of(key, fraction=0.3, region=BALL, populations=populations).objects
    second, third = (objects.centre_um[objects.class_id == c] for c in (2, 3))
    assert len(second) > 3
    # Of either the nearest of the other is a neighbour.
    nearest = np.linalg.norm(second[:, None] - third, axis=-1).min(axis=1)
    assert np.median(nearest) < 7


def test_flat_cells_have_the_height_that_was_asked_for(key):
    population = {"radius_um": 4.0, "axis_ratio": 0.9, "thickness_ratio": 0.4, "orientation": "flat"}
    objects = scene_of(key, n_cells=20, populations=[population], region=BALL).objects
    assert objects.semi_axes_um[:, 0] / objects.semi_axes_um[:, 2] == pytest.approx(0.4)
    assert objects.semi_axes_um[:, 1] / objects.semi_axes_um[:, 2] == pytest.approx(0.9)
    assert np.abs(objects.rotation[:, 0, 0]) == pytest.approx(1)
    flat = scene_of(key, PLANE, n_cells=5, populations=[population]).objects
    assert flat.semi_axes_um[:, 0] / flat.semi_axes_um[:, 1] == pytest.approx(0.9)


@pytest.mark.parametrize("shape", [(5, 31, 47), (40, 96, 104)])
def test_the_smallest_distance_is_in_um_however_the_voxels_are(shape, key):
    """Balls in voxels that are long along z: they keep their distance in every direction."""
    grid = Grid(shape_px=shape, voxel_um=(60 / shape[0], 66 / shape[1], 62 / shape[2]))
    random = {"kind": "random", "min_gap_um": 3.0}
    balls = {"radius_um": 3.0, "axis_ratio": 1.0}
    objects = scene_of(key, grid, n_cells=150, populations=[balls], arrangement=random).objects
    offset = objects.centre_um[:, None] - objects.centre_um
    distance = np.linalg.norm(offset, axis=-1) + 1e9 * np.eye(len(objects))
    assert distance.min() >= 9.0 * (1 - 1e-9)
    assert distance.min() < 9.6
    steep = np.abs(offset[..., 0]) > 0.8 * distance  # pairs above each other: not farther apart than others
    assert 9.0 * (1 - 1e-9) <= distance[steep].min() < 11


def test_what_was_reached_is_told_where_placing_stalls(key, caplog):
    with caplog.at_level(logging.WARNING):
        scene = scene_of(key, fraction=0.6, region=BALL, arrangement="random")
    assert "cells found a place; they fill 0." in caplog.text
    assert "and 0.5" in caplog.text or "and 0.6" in caplog.text
    assert "arrangement: packed" in caplog.text
    assert len(scene.objects) > 20


def test_the_published_rule_stops_at_the_first_failure(key, caplog):
    def n_cells(**values):
        return len(scene_of(key, fraction=0.6, region=BALL, arrangement={"kind": "random", **values}).objects)

    with caplog.at_level(logging.WARNING):
        stopped = n_cells(attempts=50, is_stopping=True)
        longer = n_cells(attempts=2000, is_stopping=True)
    assert not caplog.records
    assert 1 < stopped < longer < n_cells(attempts=2000)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"populations": [{"is_labelled": False}]}, "no population is labelled"),
        ({"populations": [{"shape": "ellipsiod"}]}, "did you mean 'ellipsoid'"),
        ({"populations": [{"shape": {"kind": "rod", "bend_deg": 400}}]}, "bend_deg"),
        ({"populations": [{"shape": "prototypes"}]}, "path: is missing"),
        ({"populations": [{"shape": {"kind": "branched", "n_processes": [9, 3]}}]}, "fewest, most"),
        ({"populations": [{"region": "bals"}]}, "did you mean 'balls'"),
        ({"irregularity": 0.1}, "unknown key 'irregularity'"),
    ],
)
def test_what_does_not_describe_populations_is_refused(values, message):
    with pytest.raises(RecipeError, match=message):
        registry.parse({"kind": "cells", **values})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fraction": 0.8}, "of the grid and a margin .* fill at most 0.74 of it"),
        ({"populations": [{"radius_um": 90.0}]}, "larger than the grid: the thinnest are .* um across"),
        (
            {"region": {"kind": "slab", "top_um": 5, "thickness_um": 3}},
            "do not fit into their region: the thinnest have a semi-axis of .* deeper than",
        ),
        (
            {"region": BALL, "populations": [{}, {"name": "b", "region": {**BALL, "semi_axes_um": [90.0]}}]},
            "nothing of the region is left for the population 'cells_1'",
        ),
        (
            {
                "region": BALL,
                "populations": [{}, {"region": {"kind": "slab", "top_um": 0.5, "thickness_um": 0.8}}],
            },
            "nothing of the region is left|do not fit",
        ),
        (
            {"fraction": 0.3, "populations": [{"shape": "branched"}]},
            r"which keep .* um3 for themselves.*a fraction of 0\.\d+\)",
        ),
    ],
)
def test_what_has_no_room_is_refused_before_anything_is_made(values, message):
    config = registry.parse({"kind": "cells", **values})
    with pytest.raises(RecipeError, match=message):
        config.build(VOLUME)


def test_a_bank_that_is_missing_or_of_another_dimension_is_refused(tmp_path):
    def build(path):
        shape = {"kind": "prototypes", "path": str(path)}
        registry.parse({"kind": "cells", "populations": [{"shape": shape}]}).build(VOLUME)

    with pytest.raises(InputError, match="there is no such file"):
        build(tmp_path / "missing.npz")
    write_prototypes(tmp_path / "flat.npz", bank_of(2))
    with pytest.raises(InputError, match="prototypes are 2D and the grid is 3D"):
        build(tmp_path / "flat.npz")


def test_populations_are_classes_with_names_of_their_own(key):
    small, large = {"radius_um": 2.0}, {"radius_um": 4.0}
    grid = Grid(shape_px=(90, 110), voxel_um=(1.0, 1.0))

    def named(*populations):
        made = registry.parse({"kind": "cells", "n_cells": 12, "populations": list(populations)})
        return made.build(grid)(key).class_names

    assert named(small) == ("cells",)
    assert named(small, {**large, "name": "giant"}) == ("cells_1", "giant")
    with pytest.raises(RecipeError, match="two populations are called 'giant'"):
        named({**small, "name": "giant"}, {**large, "name": "giant"})


def test_voxels_in_nanometres_are_refused_at_once():
    grid = Grid(shape_px=(16, 64, 64), voxel_um=(1500.0, 490.0, 490.0))
    config = registry.parse({"kind": "cells", "fraction": 0.3, "populations": [{"radius_um": 5.0}]})
    with pytest.raises(RecipeError, match="less than a voxel each.*micrometres"):
        config.build(grid)


def test_cells_that_stand_up_show_their_cross_section_in_any_direction(key):
    population = {"radius_um": 3.0, "axis_ratio": [0.3, 0.9], "orientation": "upright"}
    turns = scene_of(key, n_cells=60, populations=[population], arrangement="random").objects.rotation
    assert np.abs(turns[:, 0, 2]) == pytest.approx(1)
    angle = np.rad2deg(np.arctan2(turns[:, 1, 0], turns[:, 2, 0])) % 180
    assert np.histogram(angle, 4, (0, 180))[0].min() >= 4


def test_more_than_what_there_can_be_is_refused_in_words():
    for values, message in (
        ({"region": {"kind": "ellipsoid", "semi_axes_um": [1.0]}}, "do not fit into their region"),
        ({"populations": [{"axis_ratio": 3}]}, "axis_ratio is a minor axis over the major axis, at most 1"),
        ({"populations": [{"name": "cells_2"}, {}]}, "two populations are called 'cells_2'"),
    ):
        with pytest.raises(RecipeError, match=message):
            registry.parse({"kind": "cells", **values}).build(VOLUME)
