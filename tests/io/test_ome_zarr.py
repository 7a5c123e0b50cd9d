"""OME-Zarr: both versions and what others write, stores that are damaged or hostile, and our own writer."""

import os

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from cellsynth.core.blocks import cut
from cellsynth.core.errors import InputError, OutputExistsError
from cellsynth.io.formats import kind_of, read_header, read_pixels
from cellsynth.io.ome_zarr import open_image, open_labels
from cellsynth.io.ome_zarr_writer import create, discard, finish, write_block, written
from tests.io.zarr_stores import edit_json, write_array, write_group, write_json, write_store

SHAPE = (5, 31, 47)
LABELS = (np.arange(np.prod(SHAPE)).reshape(SHAPE) // 97).astype(np.uint16)
CHUNKS = (2, 16, 17)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_labels_of_both_versions_are_read_with_their_size(tmp_path, version):
    path = write_store(tmp_path / "a.zarr", LABELS, version=version, scale=(2, 0.5, 0.25), chunks=CHUNKS)
    volume = open_labels(path)
    assert (volume.shape, volume.axes, volume.dtype) == (SHAPE, "ZYX", np.uint16)
    assert (volume.voxel_um, volume.chunks) == ((2.0, 0.5, 0.25), CHUNKS)
    np.testing.assert_array_equal(volume[1:3, 5:9, 40:47], LABELS[1:3, 5:9, 40:47])
    np.testing.assert_array_equal(volume.read(), LABELS)
    assert kind_of(path) == "zarr"
    assert read_header(path).described == "ZYX (5, 31, 47)"
    np.testing.assert_array_equal(read_pixels(path), LABELS)


@pytest.mark.parametrize(
    ("unit", "factor"),
    [
        ("nanometer", 1e-3),
        ("nm", 1e-3),
        ("millimeter", 1e3),
        ("angstrom", 1e-4),
        ("\u00b5m", 1),
        ("meter", 1e6),
    ],
)
def test_units_become_micrometres(tmp_path, unit, factor):
    volume = open_labels(write_store(tmp_path / "a.zarr", LABELS, scale=(300, 65, 65), unit=unit))
    assert volume.voxel_um == pytest.approx((300 * factor, 65 * factor, 65 * factor), rel=1e-12)


@pytest.mark.parametrize("unit", [None, "pixel", "second"])
def test_without_a_unit_of_length_the_size_is_not_known(tmp_path, unit):
    assert open_labels(write_store(tmp_path / "a.zarr", LABELS, unit=unit)).voxel_um is None


def test_scales_of_the_level_and_of_the_image_multiply(tmp_path):
    path = write_store(tmp_path / "a.zarr", LABELS, scale=(2, 0.5, 0.5), version="0.4")
    image = zarr.open_group(str(path), mode="r").attrs["multiscales"][0]
    image["coordinateTransformations"] = [{"type": "scale", "scale": [1, 2, 3]}]
    write_json(path / ".zattrs", {"multiscales": [image]})
    assert open_labels(path).voxel_um == (2.0, 1.0, 1.5)


def test_axes_of_one_value_are_left_out_and_space_is_put_in_order(tmp_path):
    stored = LABELS.transpose(2, 1, 0)[None, None]
    path = write_store(
        tmp_path / "a.zarr", stored, axes="tcxyz", scale=(1, 1, 0.25, 0.5, 2), chunks=(1, 1, 9, 8, 5)
    )
    volume = open_labels(path)
    assert (volume.axes, volume.shape, volume.chunks) == ("ZYX", SHAPE, (5, 8, 9))
    assert volume.voxel_um == (2.0, 0.5, 0.25)
    np.testing.assert_array_equal(volume[1:4, 2:30, 3:40], LABELS[1:4, 2:30, 3:40])


def test_axes_with_other_names_are_space_by_their_type(tmp_path):
    path = write_store(tmp_path / "a.zarr", LABELS)
    array = open_labels(path).array
    entries = [{"name": n, "type": "space", "unit": "micrometer"} for n in ("depth", "height", "width")]
    datasets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [3, 2, 1]}]}]
    write_group(path, {"multiscales": [{"axes": entries, "datasets": datasets}]})
    volume = open_labels(path)
    assert (volume.axes, volume.voxel_um, volume.array) == ("ZYX", (3.0, 2.0, 1.0), array)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_labels_of_an_image_are_found(tmp_path, version):
    image = LABELS / np.float32(1000)
    path = write_store(tmp_path / "a.zarr", image.astype(np.float32), version=version, names=["cells"])
    write_array(path / "labels" / "cells" / "spare", LABELS, zarr_format=3 if version == "0.5" else 2)
    for named in (path, path / "labels", path / "labels" / "cells", path / "labels" / "cells" / "0"):
        assert open_labels(named).dtype == np.uint16
    assert open_image(path).dtype == np.float32


def test_several_labels_are_named(tmp_path):
    path = write_store(tmp_path / "a.zarr", LABELS, names=["cells", "nuclei"])
    with pytest.raises(InputError, match=r"holds 2 label volumes \(cells, nuclei\).*labels/cells"):
        open_labels(path)
    assert open_labels(path / "labels" / "nuclei").shape == SHAPE


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_a_bare_array_is_labels(tmp_path, zarr_format):
    write_array(tmp_path / "a.zarr", LABELS, zarr_format=zarr_format, chunks=CHUNKS)
    volume = open_labels(tmp_path / "a.zarr")
    assert (volume.axes, volume.voxel_um) == ("QYX", None)
    np.testing.assert_array_equal(volume.read(), LABELS)


def test_shards_are_read_by_their_chunks(tmp_path):
    path = write_store(tmp_path / "a.zarr", LABELS, chunks=(2, 8, 8), shards=(4, 16, 24))
    volume = open_labels(path)
    assert volume.chunks == (2, 8, 8)
    np.testing.assert_array_equal(volume[0:5, 3:31, 1:46], LABELS[0:5, 3:31, 1:46])


def test_the_one_image_of_a_converted_file_is_taken(tmp_path):
    write_store(tmp_path / "a.zarr" / "0", LABELS)
    write_group(tmp_path / "a.zarr", {"bioformats2raw.layout": 3})
    assert open_labels(tmp_path / "a.zarr").shape == SHAPE
    write_store(tmp_path / "a.zarr" / "1", LABELS)
    with pytest.raises(InputError, match=r"holds 2 images \(0, 1\)"):
        open_labels(tmp_path / "a.zarr")


# What is damaged or hostile.


def array_file(path):
    return path / "0" / "zarr.json"


def huge_chunks():
    return {"name": "regular", "configuration": {"chunk_shape": [2000, 2000, 2000]}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"shape": [10**9, 10**9, 10**9]}, "announces"),
        ({"shape": [-5, 31, 47]}, r"has the shape \[-5"),
        ({"shape": "many"}, "has the shape 'many'"),
        ({"shape": [True, 31, 47]}, "has the shape"),
        ({"shape": [31, 47]}, "differ in their axes"),
        ({"chunk_grid": huge_chunks()}, "more than 1 GiB each"),
        (
            {"chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [0, 1, 1]}}},
            "has the chunk shape",
        ),
        ({"chunk_grid": {"name": "spiral"}}, "'spiral' grid"),
        ({"chunk_grid": None}, "the chunk grid should be a mapping"),
        ({"data_type": "string"}, "of type 'string'"),
        ({"data_type": {"name": "numpy.datetime64"}}, "numbers are read"),
        ({"codecs": [{"name": "numcodecs.pickle"}]}, "codec 'numcodecs.pickle', which is not read"),
        ({"codecs": ["shell"]}, "codec 'shell'"),
        ({"codecs": {"name": "bytes"}}, "has the codecs"),
        ({"storage_transformers": [{"name": "x"}]}, "storage transformers"),
        ({"node_type": "group"}, "is a Zarr group, and an array is needed"),
        ({"zarr_format": 9}, "is format 9"),
        ({"dimension_names": ["z"]}, "dimension names"),
    ],
)
def test_metadata_that_cannot_be_are_refused_before_any_chunk_is_read(tmp_path, changes, message):
    path = write_store(tmp_path / "a.zarr", LABELS)
    edit_json(array_file(path), **changes)
    with pytest.raises(InputError, match=message):
        open_labels(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dtype": "|O"}, r"of type '\|O'"),
        ({"dtype": [["a", "<u2"]]}, "numbers are read"),
        ({"filters": [{"id": "pickle"}]}, "codec 'pickle'"),
        ({"compressor": {"id": "vlen-utf8"}}, "codec 'vlen-utf8'"),
        ({"chunks": [10**6, 10**6, 10**6]}, "more than 1 GiB each"),
    ],
)
def test_the_same_of_format_2(tmp_path, changes, message):
    path = write_store(tmp_path / "a.zarr", LABELS, version="0.4")
    edit_json(path / "0" / ".zarray", **changes)
    with pytest.raises(InputError, match=message):
        open_labels(path)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ([], "cannot be understood"),
        ("image", "cannot be understood"),
        ([{"datasets": []}], "cannot be understood"),
        ([{"datasets": [{"path": 0}]}], "cannot be understood"),
        ([{"datasets": [{"path": "../other.zarr/0"}], "axes": []}], "only paths inside of the store"),
        ([{"datasets": [{"path": "/0"}], "axes": []}], "only paths inside of the store"),
        ([{"datasets": [{"path": "7"}], "axes": []}], "is no Zarr group or array"),
        ([{"datasets": [{"path": "0"}], "axes": ["y", "x"]}], "it has 3 axes"),
        ([{"datasets": [{"path": "0"}], "axes": [{"name": 1}, "y", "x"]}], "an axis is called 1"),
        ([{"datasets": [{"path": "0"}], "axes": ["t", "c", "q"]}], "two or three must be of space"),
    ],
)
def test_metadata_of_an_image_that_cannot_be_are_refused(tmp_path, image, message):
    path = write_store(tmp_path / "a.zarr", LABELS)
    write_group(path, {"multiscales": image})
    with pytest.raises(InputError, match=message):
        open_labels(path)


@pytest.mark.parametrize("scale", [[1, 1], [0, 1, 1], [-1, 1, 1], ["1", 1, 1], [float("nan"), 1, 1], 3])
def test_a_scale_that_cannot_be_is_refused(tmp_path, scale):
    path = write_store(tmp_path / "a.zarr", LABELS)
    entries = [{"name": n, "type": "space", "unit": "micrometer"} for n in "zyx"]
    datasets = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}]
    write_group(path, {"multiscales": [{"axes": entries, "datasets": datasets}]})
    with pytest.raises(InputError, match="scale of its first level|has the size"):
        open_labels(path)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"a": 1}'])
def test_metadata_that_are_no_json_are_refused(tmp_path, content):
    path = write_store(tmp_path / "a.zarr", LABELS)
    (path / "zarr.json").write_bytes(content)
    with pytest.raises(InputError, match=r"zarr\.json"):
        open_labels(path)


def test_what_is_no_store_says_so(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(InputError, match=r"has no zarr\.json, \.zarray or \.zgroup"):
        open_labels(tmp_path / "a.zarr")
    with pytest.raises(InputError, match="is a folder and no OME-Zarr volume"):
        read_header(tmp_path / "a.zarr")
    write_group(tmp_path / "a.zarr", {})
    with pytest.raises(InputError, match="without the metadata of an image"):
        open_labels(tmp_path / "a.zarr")
    write_group(tmp_path / "a.zarr", {"plate": {}})
    with pytest.raises(InputError, match="is a plate of many images"):
        open_labels(tmp_path / "a.zarr")


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs links")
def test_links_out_of_the_store_are_refused(tmp_path):
    secret = write_store(tmp_path / "secret.zarr", LABELS)
    path = write_store(tmp_path / "a.zarr", LABELS)
    chunk = path / "0" / "c" / "0" / "0" / "0"
    chunk.unlink()
    chunk.symlink_to(secret / "0" / "c" / "0" / "0" / "0")
    with pytest.raises(InputError, match="is a link that leads out of the store"):
        open_labels(path).read()
    array_file(path).unlink()
    array_file(path).symlink_to(array_file(secret))
    with pytest.raises(InputError, match="is a link that leads out of the store"):
        open_labels(path)


def test_links_within_the_store_and_to_it_are_followed(tmp_path):
    path = write_store(tmp_path / "a.zarr", LABELS)
    (path / "0").rename(path / "level")
    (path / "0").symlink_to(path / "level")
    (tmp_path / "b.zarr").symlink_to(path)
    np.testing.assert_array_equal(open_labels(tmp_path / "b.zarr").read(), LABELS)


@pytest.mark.parametrize("content", [b"", b"nothing that was compressed", b"\0" * 5_000_000])
def test_a_damaged_chunk_is_an_error_and_no_zeros(tmp_path, content):
    path = write_store(tmp_path / "a.zarr", LABELS)
    (path / "0" / "c" / "0" / "0" / "0").write_bytes(content)
    with pytest.raises(
        InputError, match="holds a chunk that cannot be read|has 5,000,000 bytes, more than its chunk"
    ):
        open_labels(path).read()


def test_a_store_that_changes_while_it_is_read_is_an_error(tmp_path):
    volume = open_labels(write_store(tmp_path / "a.zarr", LABELS))
    edit_json(array_file(tmp_path / "a.zarr"), shape=[6, 31, 47])
    with pytest.raises(InputError, match="changed while it was read"):
        volume.read()


# Our own writer.


@settings(max_examples=15)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40), st.integers(1, 40)),
    chunks=st.tuples(st.integers(1, 5), st.integers(3, 17), st.integers(3, 17)),
    steps=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)),
)
def test_what_is_written_in_blocks_is_read_back(tmp_path_factory, shape, chunks, steps):
    path = tmp_path_factory.mktemp("zarr") / "a.zarr"
    labels = np.random.default_rng(0).integers(0, 2**16, shape).astype(np.uint16)
    options = {"axes": "ZYX", "voxel_um": (2.0, 0.5, 0.5), "chunks": chunks, "is_labels": True}
    with written(path, shape, np.uint16, **options) as draft:
        for box in reversed(cut(shape, tuple(c * s for c, s in zip(draft.chunks, steps, strict=True)))):
            write_block(draft, box, labels[box.slices])
    volume = open_labels(path)
    assert volume.header.voxel_um == (2.0, 0.5, 0.5)
    np.testing.assert_array_equal(volume.read().reshape(shape), labels)


def test_nothing_is_seen_before_a_volume_is_whole(tmp_path):
    path = tmp_path / "a.zarr"

    def write_and_stop():
        with written(path, SHAPE, np.uint16, axes="ZYX") as draft:
            write_block(draft, cut(SHAPE, SHAPE)[0], LABELS)
            assert not path.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_stop()
    assert list(tmp_path.iterdir()) == []


def test_levels_are_halved_towards_voxels_of_equal_sides(tmp_path):
    labels = np.random.default_rng(0).integers(0, 9, (6, 300, 600)).astype(np.uint8)
    options = {"axes": "ZYX", "voxel_um": (2.0, 0.5, 0.5), "is_labels": True}
    with written(tmp_path / "a.zarr", labels.shape, np.uint8, **options) as draft:
        write_block(draft, cut(labels.shape, labels.shape)[0], labels)
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")
    np.testing.assert_array_equal(group["1"][...], labels[:, ::2, ::2])
    np.testing.assert_array_equal(group["2"][...], labels[:, ::4, ::4])
    datasets = group.attrs["ome"]["multiscales"][0]["datasets"]
    scales = [d["coordinateTransformations"][0]["scale"] for d in datasets]
    assert scales == [[2.0, 0.5, 0.5], [2.0, 1.0, 1.0], [2.0, 2.0, 2.0]]


def test_levels_of_an_image_are_means_and_lie_between_their_voxels(tmp_path):
    image = np.random.default_rng(0).random((2, 300, 401)).astype(np.float32)
    with written(tmp_path / "a.zarr", image.shape, np.float32, axes="CYX", voxel_um=(0.5, 0.5)) as draft:
        write_block(draft, cut(image.shape, image.shape)[0], image)
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")
    coarse = group["1"][...]
    assert coarse.shape == (2, 150, 201)
    assert coarse[1, 3, 4] == pytest.approx(image[1, 6:8, 8:10].mean())
    assert coarse[1, 3, 200] == pytest.approx(image[1, 6:8, 400].mean())
    steps = group.attrs["ome"]["multiscales"][0]["datasets"][1]["coordinateTransformations"]
    assert steps[1] == {"type": "translation", "translation": [0.0, 0.25, 0.25]}


def test_labels_are_added_to_an_image_and_listed(tmp_path):
    image = tmp_path / "a.zarr"
    with written(image, SHAPE, np.uint16, axes="ZYX") as draft:
        write_block(draft, cut(SHAPE, SHAPE)[0], LABELS)
    for name in ("cells", "nuclei"):
        with written(image / "labels" / name, SHAPE, np.uint16, axes="ZYX", is_labels=True) as draft:
            write_block(draft, cut(SHAPE, SHAPE)[0], LABELS)
    assert zarr.open_group(str(image / "labels"), mode="r").attrs["ome"]["labels"] == ["cells", "nuclei"]
    np.testing.assert_array_equal(open_labels(image / "labels" / "nuclei").read(), LABELS)


def test_nothing_is_overwritten(tmp_path):
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(OutputExistsError, match="nothing is overwritten"):
        create(tmp_path / "a.zarr", SHAPE, np.uint16, axes="ZYX")
    draft = create(tmp_path / "b.zarr", SHAPE, np.uint16, axes="ZYX")
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(OutputExistsError, match="exists by now"):
        finish(draft)
    assert {p.name for p in tmp_path.iterdir()} == {"a.zarr", "b.zarr"}


def test_a_block_that_cuts_a_chunk_is_refused(tmp_path):
    draft = create(tmp_path / "a.zarr", SHAPE, np.uint16, axes="ZYX", chunks=CHUNKS)
    for box in cut(SHAPE, (1, 16, 17))[1:2]:
        with pytest.raises(TypeError, match="does not fit"):
            write_block(draft, box, LABELS[box.slices])
    discard(draft)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("axes", "dtype", "is_labels"), [("XYZ", "uint8", True), ("ZYX", "int64", True), ("ZYX", "float32", True)]
)
def test_what_is_no_volume_is_not_begun(tmp_path, axes, dtype, is_labels):
    with pytest.raises(TypeError):
        create(tmp_path / "a.zarr", SHAPE, dtype, axes=axes, is_labels=is_labels)
