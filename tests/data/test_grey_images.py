"""One grey channel of images and volumes, whatever the file has beside it."""

import numpy as np
import pytest
import tifffile

from cellsynth.core.errors import InputError
from cellsynth.data.grey_images import read_grey_images
from cellsynth.io.png import write_png
from cellsynth.io.tiff import write_tiff
from tests.io.zarr_stores import write_store


@pytest.fixture
def grey(key):
    return key.generator().integers(0, 4000, (5, 31, 47)).astype(np.uint16)


def load(path, **options):
    images = read_grey_images(path, **options)
    return images.load(images.names[0])


def test_planes_and_volumes_come_as_they_are_stored(tmp_path, grey):
    write_tiff(tmp_path / "a.tif", grey, axes="ZYX", voxel_um=(2.0, 0.5, 0.25))
    write_png(tmp_path / "b.png", grey[0], (0.5, 0.25))
    images = read_grey_images(tmp_path)
    assert images.names == ("a", "b")
    assert np.array_equal(images.load("a"), grey)
    assert np.array_equal(images.load("b"), grey[0])
    assert images.voxel_um == {"a": (2.0, 0.5, 0.25), "b": (0.5, 0.25)}
    assert images.take("b").names == ("b",)
    assert images.full_scale("a") == 65535


@pytest.mark.parametrize(("axes", "place"), [("ZCYX", 1), ("CZYX", 0)])
def test_a_channel_is_found_wherever_its_axis_is(tmp_path, grey, axes, place):
    stack = np.stack([grey, grey[::-1]], axis=place)
    tifffile.imwrite(tmp_path / "a.tif", stack, metadata={"axes": axes}, ome=True, photometric="minisblack")
    assert np.array_equal(load(tmp_path / "a.tif", channel="1"), grey[::-1])
    with pytest.raises(InputError, match=r"has 2 channels.* --channel 0 to 1"):
        load(tmp_path / "a.tif")
    mean = load(tmp_path / "a.tif", colours="mean")
    assert mean == pytest.approx(stack.mean(axis=place), rel=1e-6)


def test_colours_are_refused_averaged_or_grey_after_all(tmp_path, grey):
    plane = (grey[0] // 16).astype(np.uint8)
    write_png(tmp_path / "grey.png", np.stack([plane] * 3, -1))
    assert np.array_equal(load(tmp_path / "grey.png"), plane)
    write_png(tmp_path / "rgb.png", np.stack([plane, plane.T.reshape(plane.shape), 0 * plane], -1))
    with pytest.raises(InputError, match="3 channels"):
        load(tmp_path / "rgb.png")
    assert np.array_equal(load(tmp_path / "rgb.png", channel="red"), plane)
    assert load(tmp_path / "rgb.png", colours="mean").shape == plane.shape


def test_ome_zarr_is_read_with_its_scale(tmp_path, grey):
    write_store(tmp_path / "a.zarr", grey, scale=(2, 0.5, 0.25))
    images = read_grey_images(tmp_path / "a.zarr")
    assert np.array_equal(images.load("a"), grey)
    assert images.voxel_um == {"a": (2.0, 0.5, 0.25)}


def test_refusals(tmp_path, grey):
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no images; PNG, TIFF and OME-Zarr"):
        read_grey_images(tmp_path / "empty")
    tifffile.imwrite(tmp_path / "few.tif", grey[:3], photometric="minisblack")
    with pytest.raises(InputError, match="channels or slices"):
        read_grey_images(tmp_path / "few.tif")
    assert np.array_equal(load(tmp_path / "few.tif", channel="2"), grey[2])
    write_tiff(tmp_path / "a.tif", grey, axes="ZYX")
    with pytest.raises(InputError, match="has no channel 1; it is grey"):
        read_grey_images(tmp_path / "a.tif", channel="1")
    broken = grey[0].astype(np.float32)
    broken[3, 4] = np.nan
    tifffile.imwrite(tmp_path / "nan.tif", broken)
    with pytest.raises(InputError, match="1 values are NaN"):
        load(tmp_path / "nan.tif")
