"""The table of objects: what is asked for, and what the labels show; and samples with further labels."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile

from cellsynth.core.grid import Grid
from cellsynth.core.tally import tally
from cellsynth.data.dataset import DatasetWriter, open_dataset, read_objects, verify, write_sample
from cellsynth.data.object_table import object_columns
from cellsynth.labels.base import registry as generators
from cellsynth.recipe import Recipe, make_sample

GRIDS = {
    2: Grid(shape_px=(61, 83), voxel_um=(0.5, 0.4)),
    3: Grid(shape_px=(13, 41, 37), voxel_um=(1.0, 0.5, 0.4)),
}
BALL = {"kind": "ellipsoid", "semi_axes_um": [7.0]}


def table_of(scene, counts):
    return object_columns(scene, tally(scene.draw(), counts, (0,) * scene.grid.ndim), ("dna",))


@pytest.mark.parametrize("ndim", [2, 3])
def test_columns_are_those_of_the_labels(key, ndim):
    grid = GRIDS[ndim]
    populations = [{"name": "a", "radius_um": 2.0}, {"name": "b", "radius_um": 2.0}]
    config = {"kind": "cells", "fraction": 0.5, "populations": populations, "region": BALL}
    scene = replace(generators.parse(config).build(grid)(key), class_names=("a", "b"))
    labels = scene.draw()
    counts = np.random.default_rng(0).integers(0, 4000, (1, *grid.shape_px)).astype(np.uint16)
    table = table_of(scene, counts)
    assert table["label"].tolist() == list(range(1, labels.max() + 1))
    size = "volume_um3" if ndim == 3 else "area_um2"
    for i, label in enumerate(table["label"]):
        own = labels == label
        assert table[size][i] == pytest.approx(own.sum() * np.prod(grid.voxel_um))
        assert table["mean_dna"][i] == pytest.approx(counts[0][own].mean())
        for a, axis in enumerate("zyx"[-ndim:]):
            middle = (np.argwhere(own)[:, a].mean() + 0.5) * grid.voxel_um[a]
            assert table[f"centroid_{axis}_um"][i] == pytest.approx(middle)
        assert table["class_name"][i] == "ab"[scene.objects.class_id[i] - 1]
        assert table["n_touching"][i] == len(table["touching"][i])
        for other in table["touching"][i]:
            assert label in table["touching"][other - 1]
    assert sum(table["n_touching"]) > 0
    along = np.stack([table[f"orientation_{axis}"] for axis in "zyx"[-ndim:]], axis=1)
    assert np.linalg.norm(along, axis=1) == pytest.approx(1)
    if ndim == 3:
        middle = np.array(grid.extent_um) / 2
        below = 7.0 - np.linalg.norm(scene.objects.centre_um - middle, axis=1)
        assert table["depth_um"] == pytest.approx(below, abs=0.15)


def test_depth_is_below_the_top_where_the_tissue_fills_the_grid(key):
    scene = generators.parse({"kind": "cells", "n_cells": 12, "populations": [{"radius_um": 2.0}]}).build(
        GRIDS[3]
    )(key)
    table = table_of(scene, np.zeros((1, *GRIDS[3].shape_px), np.uint16))
    assert table["depth_um"] == pytest.approx(table["centre_z_um"])


def test_an_object_that_shows_nothing_has_a_row(key):
    scene = generators.parse({"kind": "cells", "n_cells": 5, "populations": [{"radius_um": 2.0}]}).build(
        GRIDS[2]
    )(key)
    outside = replace(scene.objects, centre_um=scene.objects.centre_um + 1e4)
    table = table_of(replace(scene, objects=outside), np.zeros((1, *GRIDS[2].shape_px), np.uint16))
    assert not table["n_voxels"].any()
    assert np.isnan(table["mean_dna"]).all()
    assert table["touching"] == [[]] * len(outside)


def test_a_dataset_keeps_the_labels_and_the_table_of_every_part(tmp_path, key):
    recipe = Recipe.parse(
        {"name": "two", "grid": GRIDS[2].to_dict(), "labels": {"kind": "cells", "n_cells": 9}}, source="test"
    )
    sample = make_sample(recipe, 0)
    assert list(sample.tables) == ["cells"]
    part = np.zeros(GRIDS[2].shape_px, np.int32)
    part[3:9, 4:7] = 2
    sample = replace(sample, parts={"spots": part}, tables={**sample.tables, "spots": {"label": [1, 2]}})
    writer = DatasetWriter.open(tmp_path / "out", recipe.to_dict())
    write_sample(tmp_path / "out", sample)
    assert writer.pending([sample.name]) == []
    writer.finish([sample.name])
    assert np.array_equal(tifffile.imread(tmp_path / "out/labels_spots/two_00000.tif"), part)
    assert np.array_equal(open_dataset(tmp_path / "out")[0].parts["spots"], part)
    assert read_objects(tmp_path / "out", "spots")["label"].tolist() == [1, 2]
    assert read_objects(tmp_path / "out", "nuclei").empty
    assert (read_objects(tmp_path / "out")["n_voxels"] > 0).all()
    assert {record.path for record in verify(tmp_path / "out").part_objects.values()} == {
        "objects_spots.parquet"
    }
    again = DatasetWriter.open(tmp_path / "out", recipe.to_dict(), is_resume=True)
    again.finish([sample.name])
    assert read_objects(tmp_path / "out", "spots")["label"].tolist() == [1, 2]
