"""Label volumes on disk: the same refusals and notes as of files, without reading them whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cellsynth.core.errors import InputError
from cellsynth.data.label_file import LabelNotes, read_label_file
from cellsynth.data.label_set import read_labels
from cellsynth.data.label_volume import LabelVolume, region_areas
from cellsynth.io.labels import write_labels
from tests.evaluate.label_fields import square
from tests.evaluate.volumes import Stored
from tests.io.zarr_stores import write_array, write_store

SHAPE = (5, 31, 47)
CELLS = np.stack([square(SHAPE[1:], (3, 4, 6, 8), (15, 20, 7, 13), (0, 35, 5, 6), (22, 2, 5, 5))] * 5)
MASK = np.where(CELLS > 0, 255, 0).astype(np.uint8)


def opened(tmp_path, labels, name="a.zarr"):
    write_array(tmp_path / name, labels, chunks=(2, 16, 17))
    return LabelVolume.open(tmp_path / name)


def ids_of(labels):
    return np.unique(labels[labels > 0])


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000),
    shape=st.lists(st.integers(1, 12), min_size=2, max_size=3).map(tuple),
    n_voxels=st.integers(1, 200),
)
def test_regions_are_those_of_the_whole_volume(seed, shape, n_voxels):
    labels = (np.random.default_rng(seed).random(shape) < 0.3).astype(np.uint8)
    regions, n = ndimage.label(labels, np.ones((3,) * len(shape)))
    expected = np.bincount(np.asarray(regions).ravel(), minlength=n + 1)[1:]
    assert sorted(region_areas(Stored(labels), 1, n_voxels)) == sorted(expected)


def test_a_mask_is_refused_in_the_same_words_as_of_a_file(tmp_path):
    volume = opened(tmp_path, MASK)
    with pytest.raises(InputError) as found:
        volume.check_ids(ids_of(MASK))
    with pytest.raises(InputError) as expected:
        read_label_file(tmp_path / "a.zarr")
    assert str(found.value) == str(expected.value)
    assert "the only values besides 0 are 255, on 4 separate regions" in str(found.value)
    notes = LabelNotes()
    volume.check_ids(ids_of(MASK), may_be_mask=True, notes=notes)
    assert notes.masks == {tmp_path / "a.zarr": 4}


def test_a_grey_image_is_refused(tmp_path):
    grey = np.random.default_rng(0).integers(5, 200, SHAPE).astype(np.uint8)
    with pytest.raises(InputError, match="is a grey image and no labels"):
        opened(tmp_path, grey).refuse_grey_image()
    opened(tmp_path, CELLS, "b.zarr").refuse_grey_image()


def test_a_mask_of_yes_and_no_is_read_as_numbers(tmp_path):
    volume = opened(tmp_path, CELLS > 0)
    assert volume.dtype == np.uint8
    np.testing.assert_array_equal(volume[0:5, 0:31, 0:47], CELLS > 0)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (CELLS.astype(np.float32), "values are float32"),
        (np.stack([CELLS, CELLS]).astype(np.uint8), "QQYX"),
        (CELLS[0, 0], "labels have axes X"),
    ],
)
def test_what_cannot_be_labels_is_refused_before_it_is_read(tmp_path, labels, message):
    write_array(tmp_path / "a.zarr", labels)
    with pytest.raises(InputError, match=message):
        LabelVolume.open(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    ("value", "dtype", "message"),
    [
        (-1, np.int32, r"a\.zarr: values are negative, such as -1"),
        (2**32, np.uint64, r"a\.zarr: has the id 4294967296"),
    ],
)
def test_a_value_that_is_no_id_is_refused_with_the_name_of_the_store(tmp_path, value, dtype, message):
    labels = CELLS.astype(dtype)
    labels[4, 30, 46] = value
    volume = opened(tmp_path, labels)
    assert volume[0:2, 0:16, 0:17].max() > 0
    with pytest.raises(InputError, match=message):
        volume[2:5, 16:31, 34:47]


def test_volumes_stand_among_files_in_a_folder(tmp_path):
    write_labels(tmp_path / "a_labels.tif", CELLS, voxel_um=(2, 0.5, 0.5))
    write_store(tmp_path / "b.zarr", CELLS.astype(np.uint16), scale=(2, 0.5, 0.5))
    write_store(tmp_path / "c_labels.ome.zarr", CELLS.astype(np.uint16), version="0.4", unit=None)
    (tmp_path / ".cellsynth-0.zarr").mkdir()
    labels = read_labels(tmp_path)
    assert labels.names == ("a", "b", "c")
    assert labels.voxel_um == {"a": (2, 0.5, 0.5), "b": (2, 0.5, 0.5)}
    assert isinstance(labels.open("b"), LabelVolume)
    for name in labels.names:
        np.testing.assert_array_equal(labels.load(name), CELLS)


def test_a_volume_that_was_not_copied_whole_is_named(tmp_path):
    write_store(tmp_path / "a.zarr", CELLS.astype(np.uint16))
    (tmp_path / "a.zarr" / "zarr.json").unlink()
    for path in (tmp_path, tmp_path / "a.zarr"):
        with pytest.raises(InputError, match=r"a\.zarr: is a folder and no OME-Zarr volume"):
            read_labels(path)


def test_a_store_without_a_chunk_is_warned_of_and_a_folder_is_no_chunk(tmp_path, caplog):
    opened(tmp_path, CELLS)
    assert not caplog.records
    chunks = sorted(p for p in (tmp_path / "a.zarr" / "c").rglob("*") if p.is_file())
    for chunk in chunks:
        chunk.unlink()
    assert not LabelVolume.open(tmp_path / "a.zarr")[:, :, :].any()
    assert "holds no chunk at all" in caplog.text
    chunks[0].mkdir()
    with pytest.raises(InputError, match="is a folder, and a chunk is a file"):
        LabelVolume.open(tmp_path / "a.zarr")[:, :, :]
