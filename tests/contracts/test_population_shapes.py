"""What every shape of a population promises: exact labels, the volume that was asked for, the way through YAML."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.io.prototypes import write_prototypes
from cellsynth.io.yaml import read_yaml, write_yaml
from cellsynth.labels._populations import kinds_of
from cellsynth.labels.base import registry as generators
from cellsynth.labels.shapes import registry
from tests.core.shapes.scenes import bank_of

GRIDS = {
    2: Grid(shape_px=(161, 183), voxel_um=(0.45, 0.4)),
    3: Grid(shape_px=(23, 61, 67), voxel_um=(1.6, 0.9, 0.8)),
}
VARIANTS = {
    "ellipsoid": [{}, {"irregularity": 0.3}],
    "star_convex": [{}, {"amplitude": 0.2, "degrees": 9, "decay": 0.7}],
    "superellipsoid": [{}, {"exponent": 1.0}, {"exponent": 6.0}],
    "rod": [{}, {"length_um": [7, 12], "width_um": 4.0, "bend_deg": 60, "dividing": 1.0}],
    "branched": [{}, {"n_processes": [2, 4], "reach": 3.0, "width": 0.5, "domain": 0.8}],
    "prototypes": [
        {},
        {"is_size_kept": False, "tilt_deg": 20},
        {"turn_deg": 0, "scale": [1, 1], "elastic": 0},
    ],
    "fragments": [{}, {"n_fragments": [2, 2], "filled": 0.2}],
}
CASES = [(kind, i) for kind in registry.names() for i in range(len(VARIANTS[kind]))]


@pytest.fixture(scope="module")
def banks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("banks")
    for ndim in (2, 3):
        write_prototypes(folder / f"{ndim}.npz", bank_of(ndim))
    return folder


@pytest.fixture(params=[2, 3], ids=["2d", "3d"])
def grid(request):
    return GRIDS[request.param]


@pytest.fixture(params=CASES, ids=[f"{kind}-{i}" for kind, i in CASES])
def shape(request, grid, banks):
    kind, i = request.param
    path = {"path": str(banks / f"{grid.ndim}.npz")} if kind == "prototypes" else {}
    return {"kind": kind, **path, **VARIANTS[kind][i]}


def cells_of(shape, **values):
    population = {"radius_um": [4.5, 5.5], "axis_ratio": [0.4, 0.8], "shape": shape}
    n = 4 if shape["kind"] == "branched" else 12  # which keeps room for its processes
    return generators.parse({"kind": "cells", "n_cells": n, "populations": [population], **values})


def test_every_shape_is_covered():
    assert set(VARIANTS) == set(registry.names())


@pytest.mark.parametrize("kind", registry.names())
def test_a_file_holds_the_shape_of_its_name_which_says_what_it_is(kind):
    method = registry.get(kind)
    assert method.model_fields["kind"].default == kind
    assert method.__module__ == f"cellsynth.labels.shapes.{kind}"
    assert method.headline().endswith(".")
    assert len(method.headline()) < 120
    for name, field in method.model_fields.items():
        assert name == "kind" or field.description, f"{name} has no docstring under it"


@pytest.mark.parametrize("region", ["everywhere", {"kind": "ellipsoid", "semi_axes_um": [25.0]}])
def test_labels_have_no_gaps_and_are_the_same_in_any_box(shape, grid, region, key):
    scene = cells_of(shape, region=region).build(grid)(key)
    whole = scene.draw()
    assert len(scene.objects) >= 3
    assert np.array_equal(np.unique(whole[whole > 0]), np.arange(1, len(scene.objects) + 1))
    blocks = np.empty_like(whole)
    for box in grid.boxes((7, 29, 31)[-grid.ndim :]):
        blocks[box.slices] = scene.draw(box)
    assert np.array_equal(blocks, whole)


def test_equal_keys_give_equal_cells_and_frames_are_rotations(shape, grid, key):
    first = cells_of(shape).build(grid)(key)
    again = cells_of(shape).build(grid)(Key(key.digest))
    assert first.draw().tobytes() == again.draw().tobytes()
    rotation = first.objects.rotation
    assert np.allclose(rotation @ rotation.transpose(0, 2, 1), np.eye(grid.ndim))


def test_drawn_cells_have_the_volume_of_their_radius(shape, grid):
    """On average; of shapes with a size of their own, that which they say."""
    radius = 5.0
    population = {"radius_um": radius, "axis_ratio": [0.4, 0.8], "shape": shape}
    config = generators.parse({"kind": "cells", "populations": [population]})
    kind = kinds_of(config.populations, grid)[0]
    n = {2: 150, 3: 60}[grid.ndim]
    rng = np.random.default_rng(0)
    cells = kind.draw(rng.integers(0, 2**63, n).astype(np.uint64), grid, rng)
    counted = kind.volumes(cells, grid)
    ball = np.pi * radius**2 if grid.ndim == 2 else 4 / 3 * np.pi * radius**3
    has_own_size = shape.get("length_um") or (
        shape["kind"] == "prototypes" and shape.get("is_size_kept", True)
    )
    if not has_own_size:
        assert counted == pytest.approx(np.full(n, ball))
    reach = kind.shape.half_extents_um(cells, grid).max() + 1
    fine = Grid(
        shape_px=(72,) * 3 if grid.ndim == 3 else (240,) * 2,
        voxel_um=(reach / (36 if grid.ndim == 3 else 120),) * grid.ndim,
    )
    drawn = []
    for i in range(n):
        one = cells.take(np.array([i]))
        one.centre_um[:] = reach + rng.uniform(-0.5, 0.5, grid.ndim) * fine.voxel_um
        drawn.append(np.count_nonzero(kind.shape.draw(one, fine, fine.box)) * np.prod(fine.voxel_um))
    share = shape.get("filled", 0.05) if shape["kind"] == "fragments" else 1.0
    # Of branched cells the volume is an estimate, and a grid draws thin processes thicker.
    tolerance = {"branched": 0.25, "fragments": 0.05}.get(shape["kind"], 0.03)
    assert np.mean(drawn) == pytest.approx(share * counted.mean(), rel=tolerance)


def test_bodies_take_room_in_proportion(shape, grid):
    """No body is smaller than its cell, or cells of many would fill more than there is."""
    population = {"radius_um": 5.0, "axis_ratio": [0.4, 0.8], "shape": shape}
    config = generators.parse({"kind": "cells", "n_cells": 1, "populations": [population]})
    kind = kinds_of(config.populations, grid)[0]
    assert kind.mean_room >= kind.mean_volume * (1 - 1e-9)
    if shape["kind"] != "branched":
        assert kind.mean_room == pytest.approx(kind.mean_volume)


def test_a_shape_survives_yaml_and_is_written_as_it_is(shape, tmp_path):
    config = cells_of(shape)
    write_yaml(tmp_path / "config.yaml", config.to_dict())
    again = generators.parse(read_yaml(tmp_path / "config.yaml"))
    assert again == config
    assert config.to_dict()["populations"][0]["shape"]["kind"] == shape["kind"]
    assert set(shape) <= set(config.to_dict()["populations"][0]["shape"])
