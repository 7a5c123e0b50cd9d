import numpy as np
import pytest
from scipy import ndimage

from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Box, Grid
from cellsynth.core.rng import Key
from cellsynth.core.scene import Scene
from cellsynth.labels.base import registry

PLANE = Grid(shape_px=(301, 333), voxel_um=(0.3, 0.27))
VOLUME = Grid(shape_px=(31, 83, 95), voxel_um=(1.1, 0.6, 0.5))
BALL = {"kind": "ellipsoid", "semi_axes_um": [15, 22, 20]}
SHELL = {**BALL, "core": 0.55}
SLAB = {"kind": "slab", "top_um": 6, "thickness_um": 18}
CASES = [
    pytest.param(PLANE, {}, id="plane"),
    pytest.param(PLANE, {"waviness": 0.1, "regularity": 0.3, "target": "nuclei"}, id="wavy plane of nuclei"),
    pytest.param(PLANE, {"region": {"kind": "ellipsoid", "semi_axes_um": [35]}}, id="disc"),
    pytest.param(VOLUME, {"radius_um": 5, "target": "nuclei"}, id="volume"),
    pytest.param(VOLUME, {"radius_um": 4.5, "region": BALL}, id="ball"),
    pytest.param(VOLUME, {"radius_um": 3.5, "region": SHELL, "is_single_layer": True}, id="cyst"),
    pytest.param(VOLUME, {"radius_um": 4, "region": SLAB, "is_single_layer": True}, id="sheet"),
]


def grow(grid: Grid, seed: int = 0, **values) -> Scene:
    return registry.parse({"kind": "tissue", **values}).build(grid)(Key.from_seed(seed))


def drawn(scene: Scene) -> dict[str, np.ndarray]:
    return {name: layer.draw() for name, layer in scene.layers.items()}


def sizes_um(labels: np.ndarray, scene: Scene) -> np.ndarray:
    return np.bincount(labels.ravel(), minlength=len(scene.objects) + 1)[1:] * np.prod(scene.grid.voxel_um)


def is_whole(scene: Scene) -> np.ndarray:
    """Which cells do not touch the border of the grid."""
    cells = scene.layers["cells"].draw()
    faces = [np.take(cells, e, axis).ravel() for axis in range(cells.ndim) for e in (0, -1)]
    return ~np.isin(np.arange(1, len(scene.objects) + 1), np.concatenate(faces))


@pytest.mark.parametrize(("grid", "values"), CASES)
def test_cell_membrane_and_nucleus_have_one_number(grid, values):
    scene = grow(grid, **values)
    assert scene.name == values.get("target", "cells")
    labels = drawn(scene)
    assert set(labels) == {"cells", "membranes", "nuclei"}
    for layer in scene.layers.values():
        assert np.array_equal(layer.objects.key, scene.objects.key)
    for part in ("membranes", "nuclei"):
        inside = labels[part] > 0
        assert inside.any()
        assert np.array_equal(labels[part][inside], labels["cells"][inside])
    assert not ((labels["membranes"] > 0) & (labels["nuclei"] > 0)).any()
    assert np.bincount(labels[scene.name].ravel())[1:].min() >= 4
    # Every cell that the border does not cut has its nucleus.
    assert (sizes_um(labels["nuclei"], scene) > 0)[is_whole(scene)].all()


@pytest.mark.parametrize(("grid", "values"), CASES)
def test_tissue_has_no_holes_and_ends_with_its_region(grid, values):
    scene = grow(grid, **{**values, "target": "cells"})
    labels = scene.draw()
    if scene.tissue is None:
        assert labels.all()
    else:
        depth = scene.tissue.in_box(grid, grid.box)
        assert np.array_equal(labels > 0, depth > 0)


@pytest.mark.parametrize(("grid", "values"), CASES)
def test_nuclei_lie_in_their_cells(grid, values):
    """What is cut off at the membrane is at most a twentieth, give or take the voxels."""
    scene = grow(grid, **values)
    nuclei = scene.layers["nuclei"]
    unit = np.pi if grid.ndim == 2 else 4 / 3 * np.pi
    asked = unit * nuclei.objects.semi_axes_um.prod(axis=1)
    part = (sizes_um(nuclei.draw(), scene) / asked)[is_whole(scene)]
    assert len(part) > 10
    assert np.quantile(part, 0.1) > 0.92
    assert part.mean() == pytest.approx(0.985, abs=0.02)


@pytest.mark.parametrize("grid", [PLANE, VOLUME])
@pytest.mark.parametrize("ratio", [0.15, 0.35])
def test_nuclei_have_the_volume_asked_for(grid, ratio):
    scene = grow(grid, nucleus_ratio=ratio, radius_um=5, membrane_um=0.3)
    labels = drawn(scene)
    share = (sizes_um(labels["nuclei"], scene) / sizes_um(labels["cells"], scene))[is_whole(scene)]
    assert share.mean() == pytest.approx(ratio, rel=0.06)
    assert share.std() < 0.12 * ratio


def test_nuclei_that_have_no_room_are_smaller_and_that_is_said(caplog):
    scene = grow(PLANE, nucleus_ratio=0.8)
    assert "have no room in their cells at the size asked for" in caplog.text
    labels = drawn(scene)
    share = (sizes_um(labels["nuclei"], scene) / sizes_um(labels["cells"], scene))[is_whole(scene)]
    assert 0.5 < share.mean() < 0.79


def test_nuclei_are_turned_as_their_cells_are_and_less_elongated():
    scene = grow(
        VOLUME, radius_um=2.6, region=SLAB, is_single_layer=True, nucleus_elongation=0.5, nucleus_ratio=0.2
    )
    cells, nuclei = scene.layers["cells"].objects, scene.layers["nuclei"].objects
    # Columns 18 high and 5 wide: their longest axis is z.
    assert np.median(np.abs(cells.longest_axis[:, 0])) > 0.99
    along = np.abs((cells.longest_axis * nuclei.longest_axis).sum(axis=1))
    assert np.median(along) > 0.99
    of_cells = cells.semi_axes_um.max(axis=1) / cells.semi_axes_um.min(axis=1)
    of_nuclei = nuclei.semi_axes_um.max(axis=1) / nuclei.semi_axes_um.min(axis=1)
    assert np.median(of_cells) > 3
    assert np.median(of_nuclei) == pytest.approx(np.median(of_cells) ** 0.5, rel=0.2)


def test_nuclei_are_nearer_to_the_middle_than_to_the_wall():
    scene = grow(Grid(shape_px=(601, 603), voxel_um=(0.3, 0.3)), nucleus_ratio=0.05, nucleus_irregularity=0)
    labels, whole = scene.draw(), is_whole(scene)
    wall = np.zeros(labels.shape, np.bool_)
    for axis in (0, 1):
        change = np.diff(labels, axis=axis) != 0
        pad = [(0, 0), (0, 0)]
        pad[axis] = (0, 1)
        wall |= np.pad(change, pad)
    depth = np.asarray(ndimage.distance_transform_edt(~wall)) * 0.3
    index = (scene.layers["nuclei"].objects.centre_um[whole] / 0.3).astype(int)
    at_nuclei = depth[tuple(index.T)].mean()
    at_random = depth[np.isin(labels, np.flatnonzero(whole) + 1)].mean()
    deepest = ndimage.maximum(depth, labels, np.flatnonzero(whole) + 1).mean()
    assert 1.2 * at_random < at_nuclei < 0.9 * deepest


@pytest.mark.parametrize("log_sd", [0.05, 0.15])
def test_cells_have_the_sizes_asked_for(log_sd):
    grid = Grid(shape_px=(401, 503), voxel_um=(0.5, 0.5))
    scene = grow(grid, radius_um={"median": 6, "log_sd": log_sd}, regularity=0.75)
    radius = np.sqrt(sizes_um(scene.draw(), scene) / np.pi)[is_whole(scene)]
    assert len(radius) > 200
    assert np.median(radius) == pytest.approx(6, rel=0.03)
    assert np.log(radius).std() == pytest.approx(log_sd, rel=0.3)


@pytest.mark.parametrize(
    ("grid", "values", "expected"),
    [
        (PLANE, {"n_cells": 60}, 60),
        (PLANE, {"density": 8000.0}, 0.008 * 90.3 * 89.91),
        (VOLUME, {"n_cells": 70, "region": BALL}, 70),
        (VOLUME, {"n_cells": 40, "region": SHELL, "is_single_layer": True}, 40),
    ],
)
def test_there_are_as_many_cells_as_asked_for(grid, values, expected):
    scene = grow(grid, **values)
    share_in_grid = (
        sizes_um(scene.draw(), scene)
        / scene.layers["cells"].shape.tessellation.extents.volume[
            scene.layers["cells"].shape.tessellation.rows_of(scene.objects.key)
        ]
    )
    assert share_in_grid.sum() == pytest.approx(expected, rel=0.06)


def test_regular_cells_are_more_alike_than_random_ones():
    def spread(regularity: float) -> float:
        scene = grow(PLANE, regularity=regularity, radius_um=4)
        sizes = sizes_um(scene.draw(), scene)[is_whole(scene)]
        return float(sizes.std() / sizes.mean())

    assert spread(0.0) > 0.3
    assert spread(0.5) < 0.7 * spread(0.0)
    assert spread(1.0) < 0.08


@pytest.mark.parametrize("membrane_um", [1.0, 2.0])
def test_membranes_have_the_thickness_asked_for(membrane_um):
    grid = Grid(shape_px=(500, 500), voxel_um=(0.1, 0.1))
    labels = drawn(grow(grid, membrane_um=membrane_um, radius_um=7))
    cells = labels["cells"]
    change_y, change_x = np.diff(cells, axis=0) != 0, np.diff(cells, axis=1) != 0
    # Steps between pixels overstate the length of a wall in all directions by 4 / pi.
    length_um = (change_y.sum() + change_x.sum()) * 0.1 * np.pi / 4
    area_um = (labels["membranes"] > 0).sum() * 0.01
    # Where walls meet, membranes share room.
    assert 0.85 * membrane_um < area_um / length_um < 1.02 * membrane_um


def test_a_single_layer_has_one_cell_from_side_to_side():
    scene = grow(VOLUME, radius_um=4, region=SLAB, is_single_layer=True, waviness=0)
    labels, depth = scene.draw(), scene.tissue.in_box(VOLUME, VOLUME.box)
    first, last = np.argmax(depth[:, 0, 0] > 0), len(depth) - 1 - np.argmax(depth[::-1, 0, 0] > 0)
    assert (labels[first] == labels[last]).mean() > 0.99
    assert (labels[first] == labels[(first + last) // 2]).mean() > 0.99


def test_a_slab_that_the_grid_cuts_is_the_slab_of_a_larger_grid():
    """The cells of a layer whose middle is below the grid reach into it from there."""
    slab = {"kind": "slab", "top_um": 20, "thickness_um": 40}
    scene = grow(VOLUME, radius_um=5, region=slab, is_single_layer=True)
    assert np.median(scene.layers["cells"].objects.centre_um[:, 0]) == pytest.approx(40, abs=1.5)
    assert np.median(scene.layers["cells"].objects.semi_axes_um.max(axis=1)) == pytest.approx(
        40 / np.sqrt(12) * np.sqrt(5), rel=0.1
    )


@pytest.mark.parametrize(("grid", "values"), CASES)
def test_boxes_are_crops_of_the_whole_and_a_finer_grid_shows_the_same_tissue(grid, values):
    scene = grow(grid, **values)
    box = Box((3,) * grid.ndim, tuple(n // 2 for n in grid.shape_px))
    fine_grid = Grid(
        shape_px=tuple(3 * n for n in grid.shape_px), voxel_um=tuple(v / 3 for v in grid.voxel_um)
    )
    fine_box = Box(tuple(3 * a for a in box.start), tuple(3 * b for b in box.stop))
    fine = scene.on(fine_grid)
    for name, layer in scene.layers.items():
        whole = layer.draw()
        assert np.array_equal(layer.draw(box), whole[box.slices])
        middle = fine.layers[name].draw(fine_box)[(slice(1, None, 3),) * grid.ndim]
        assert (middle != whole[box.slices]).mean() < 1e-4


def test_the_same_seed_gives_the_same_tissue_and_another_seed_another():
    first, again, other = (grow(PLANE, seed, radius_um=5) for seed in (3, 3, 4))
    assert np.array_equal(first.draw(), again.draw())
    assert not np.array_equal(first.draw(), other.draw())


@pytest.mark.parametrize(("grid", "values"), CASES)
def test_what_shows_in_a_large_grid_is_found_without_drawing_all_of_it(grid, values, monkeypatch):
    small = grow(grid, **values)
    monkeypatch.setattr("cellsynth.core.scene._LARGE", 1)
    large = grow(grid, **values)
    assert np.array_equal(large.objects.key, small.objects.key)
    assert np.array_equal(large.draw(), small.draw())


def test_with_nuclei_as_the_target_cells_without_one_shine_unlabelled():
    scene = grow(PLANE, target="nuclei", radius_um=5)
    assert scene.unlabelled is not None
    assert len(scene.unlabelled.objects) > 0
    others = scene.parts["cells"].unlabelled
    labelled, rest = scene.parts["cells"].draw() > 0, others.draw() > 0
    assert not (labelled & rest).any()
    assert (labelled | rest).all()


@pytest.mark.parametrize(
    ("grid", "values", "message"),
    [
        (PLANE, {"nucleus_ratio": 1.0}, "nucleus_ratio goes up to 1"),
        (PLANE, {"nucleus_ratio": [0, 0.3]}, "nucleus_ratio goes down to 0"),
        (PLANE, {"membrane_um": 9}, "membrane_um is 9 and small cells have a radius of 4.75"),
        (PLANE, {"membrane_um": 2, "n_cells": 4000}, "membrane_um is 2 and small cells have a radius of 0.6"),
        (PLANE, {"membrane_um": 2, "density": 500000}, "membrane_um is 2 and small cells"),
        (PLANE, {"n_cells": 5, "density": 100}, "saw both"),
        (PLANE, {"radius_um": 0.05, "membrane_um": 0.01}, "a cell has 0.097 voxels"),
        (PLANE, {"is_single_layer": True}, "is_single_layer needs a region with two sides"),
        (VOLUME, {"region": BALL, "is_single_layer": True}, "the region is no layer"),
        (VOLUME, {"region": {**SLAB, "top_um": 500}}, "nothing of it lies in the grid"),
        (VOLUME, {"region": {**SLAB, "thickness_um": 1.5}}, "um across, and cells have a radius of 6"),
        (VOLUME, {"region": {**SLAB, "thickness_um": 1e6}, "is_single_layer": True}, "has no middle"),
        (VOLUME, {"region": BALL, "radius_um": 40}, "smaller cells, or a"),
    ],
)
def test_what_cannot_be_is_refused_with_a_way_out(grid, values, message):
    with pytest.raises(RecipeError, match=message):
        registry.parse({"kind": "tissue", **values}).build(grid)


@pytest.mark.parametrize("grid", [PLANE, VOLUME])
def test_one_cell_fills_its_region_and_two_share_it(grid):
    region = {"kind": "ellipsoid", "semi_axes_um": [14]}
    one = grow(grid, n_cells=1, region=region)
    assert len(one.objects) == 1
    assert np.array_equal(one.draw() > 0, one.tissue.in_box(grid, grid.box) > 0)
    two = grow(grid, n_cells=2, region=region, radius_um=6)
    sizes = sizes_um(two.draw(), two)
    assert sizes.sum() == pytest.approx(sizes_um(one.draw(), one).sum(), rel=0.01)
    assert sizes.min() > 0.4 * sizes.sum()
