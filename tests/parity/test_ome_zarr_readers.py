"""What we write, read by other software: `ome-zarr` and `ome-zarr-models`, where they are installed."""

import json

import numpy as np
import pytest

from cellsynth.core.blocks import cut
from cellsynth.data.dataset import open_dataset
from cellsynth.io.ome_zarr_writer import write_block, written
from cellsynth.pipeline.synthesize import synthesize

pytestmark = pytest.mark.external

SHAPE = (5, 300, 47)
LABELS = (np.arange(np.prod(SHAPE)).reshape(SHAPE) // 97).astype(np.uint16)
IMAGE = (np.arange(2 * np.prod(SHAPE)).reshape(2, *SHAPE) % 251).astype(np.uint8)
VOXEL_UM = (2.0, 0.5, 0.5)


@pytest.fixture
def store(tmp_path):
    """An image of two channels with labels."""
    path = tmp_path / "a.zarr"
    with written(path, IMAGE.shape, np.uint8, axes="CZYX", voxel_um=VOXEL_UM) as draft:
        write_block(draft, cut(IMAGE.shape, IMAGE.shape)[0], IMAGE)
    options = {"axes": "ZYX", "voxel_um": VOXEL_UM, "is_labels": True}
    with written(path / "labels" / "cells", SHAPE, np.uint16, **options) as draft:
        write_block(draft, cut(SHAPE, SHAPE)[0], LABELS)
    return path


def test_ome_zarr_reads_image_and_labels(store):
    pytest.importorskip("ome_zarr", reason="pip install ome-zarr")
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    location = parse_url(store)
    assert location is not None
    nodes = {node.zarr.basename(): node for node in Reader(location)()}
    image, labels = nodes["a.zarr"], nodes["cells"]
    np.testing.assert_array_equal(np.asarray(image.data[0]), IMAGE)
    np.testing.assert_array_equal(np.asarray(labels.data[0]), LABELS)
    np.testing.assert_array_equal(np.asarray(labels.data[1]), LABELS[:, ::2, ::2])
    steps = labels.metadata["coordinateTransformations"]
    assert [step[0]["scale"] for step in steps] == [[2.0, 0.5, 0.5], [2.0, 1.0, 1.0]]
    assert [axis["unit"] for axis in labels.metadata["axes"]] == ["micrometer"] * 3


def test_ome_zarr_models_finds_nothing_wrong(store):
    pytest.importorskip("ome_zarr_models", reason="pip install ome-zarr-models")
    import zarr
    from ome_zarr_models.v05 import Image, ImageLabel, Labels

    Image.from_zarr(zarr.open_group(str(store), mode="r"))
    found = Labels.from_zarr(zarr.open_group(str(store / "labels"), mode="r"))
    assert found.attributes.ome.labels == ["cells"]
    label = ImageLabel.from_zarr(zarr.open_group(str(store / "labels" / "cells"), mode="r"))
    assert [d.path for d in label.attributes.ome.multiscales[0].datasets] == ["0", "1"]


@pytest.fixture
def made(tmp_path):
    """A sample of two channels with cells and spots, as `cellsynth synthesize` writes it block by block."""
    recipe = {
        "n_samples": 1,
        "name": "made",
        "format": "ome_zarr",
        "grid": {"shape_px": [7, 300, 270], "voxel_um": [2.0, 0.5, 0.5]},
        "labels": {"kind": "cells", "n_cells": 30, "populations": [{"radius_um": [4, 6]}]},
        "parts": {"spots": {"kind": "spots", "number": [1, 3]}},
        "render": {"kind": "fluorescence", "channels": [{}, {"name": "rna", "stains": {"spots": 1.0}}]},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(json.dumps(recipe))
    synthesize(path, tmp_path / "out", workers=1, quiet=True)
    return tmp_path / "out"


def test_ome_zarr_models_finds_nothing_wrong_in_a_dataset(made):
    pytest.importorskip("ome_zarr_models", reason="pip install ome-zarr-models")
    import zarr
    from ome_zarr_models.v05 import Image, ImageLabel, Labels

    store = made / "images" / "made_00000.ome.zarr"
    image = Image.from_zarr(zarr.open_group(str(store), mode="r"))
    assert [axis.name for axis in image.attributes.ome.multiscales[0].axes] == ["c", "z", "y", "x"]
    found = Labels.from_zarr(zarr.open_group(str(store / "labels"), mode="r"))
    assert found.attributes.ome.labels == ["cells", "spots"]
    for name in found.attributes.ome.labels:
        ImageLabel.from_zarr(zarr.open_group(str(store / "labels" / name), mode="r"))


def test_ome_zarr_reads_a_dataset(made):
    pytest.importorskip("ome_zarr", reason="pip install ome-zarr")
    from ome_zarr.io import parse_url
    from ome_zarr.reader import Reader

    location = parse_url(made / "images" / "made_00000.ome.zarr")
    assert location is not None
    nodes = {node.zarr.basename(): node for node in Reader(location)()}
    sample = open_dataset(made).load(0)
    np.testing.assert_array_equal(np.asarray(nodes["made_00000.ome.zarr"].data[0]), sample.counts)
    np.testing.assert_array_equal(np.asarray(nodes["cells"].data[0]), sample.labels)
    np.testing.assert_array_equal(np.asarray(nodes["spots"].data[0]), sample.parts["spots"])
