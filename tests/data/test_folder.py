"""A plain folder of images, with or without labels, is read as a set."""

import logging
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cellsynth.core.errors import InputError, RecipeError
from cellsynth.data.folder import read_folder
from cellsynth.data.label_set import pair_labels, read_labels
from cellsynth.io.labels import write_labels
from cellsynth.io.png import write_png
from cellsynth.io.tiff import write_tiff

SHAPE = (31, 47)
RNG = np.random.default_rng(0)


def grey(dtype: str = "uint8", shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return RNG.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


def cells(n: int = 3) -> np.ndarray:
    labels = np.zeros(SHAPE, np.int32)
    for i in range(n):
        labels[3:9, 2 + 9 * i : 9 + 9 * i] = i + 1
    return labels


@pytest.fixture
def images(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    (tmp_path / "labels").mkdir()
    return tmp_path / "labels"


def test_images_come_in_natural_order_with_their_values_and_scale(images: Path) -> None:
    pixels = {name: grey("uint16", (31, 40 + i)) for i, name in enumerate(("cell10", "cell2", "cell1"))}
    for name, values in pixels.items():
        write_tiff(images / f"{name}.tif", values, axes="YX", voxel_um=(0.31, 0.3))
    (images / ".hidden.png").write_bytes(b"x")
    (images / "notes.txt").write_text("x")
    (images / "README").write_text("x")
    (images / "index.csv").write_text("x")
    (images / "more").mkdir()
    found = read_folder(images)
    assert found.names == ("cell1", "cell2", "cell10")
    assert len(found) == 3
    assert found.grid(0).shape_px == (31, 42)
    assert found.grid(0).voxel_um == (0.31, 0.3)
    assert found.n_labelled == 0
    sample = found.load(2)
    assert sample.image.shape == (1, 31, 40)
    assert sample.image.dtype == np.float32
    np.testing.assert_array_equal(sample.counts[0], pixels["cell10"])
    assert sample.source == images / "cell10.tif"


@pytest.mark.parametrize(("dtype", "full"), [("uint8", 255), ("uint16", 65535)])
def test_integers_are_scaled_by_the_full_range_of_their_type(images: Path, dtype: str, full: int) -> None:
    pixels = grey(dtype)
    write_png(images / "a.png", pixels)
    np.testing.assert_allclose(read_folder(images).load(0).image[0], pixels / full, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_float_images_between_zero_and_one_are_taken_as_they_are(images: Path, dtype: str) -> None:
    pixels = RNG.random(SHAPE).astype(dtype)
    tifffile.imwrite(images / "a.tif", pixels)
    sample = read_folder(images).load(0)
    np.testing.assert_array_equal(sample.image[0], pixels.astype(np.float32))
    assert sample.bit_depth == 16


def test_packed_bits_are_scaled_by_their_own_range_and_kept_as_label_ids(images: Path, labels: Path) -> None:
    width, height, rows = 47, 31, (np.arange(31 * 24).reshape(31, 24) * 7 % 256).astype(np.uint8)
    packed = four_bit_png(width, height, rows)
    (images / "a.png").write_bytes(packed)
    bands = np.sort(rows >> 4, axis=None).reshape(rows.shape)
    (labels / "a.png").write_bytes(four_bit_png(width, height, bands * 17))  # both halves of a byte
    stored = np.stack([rows >> 4, rows & 15], -1).reshape(31, 48)[:, :47]
    sample = read_folder(images, labels).load(0)
    assert sample.bit_depth == 4
    np.testing.assert_allclose(sample.image[0], stored / 15, rtol=1e-6)
    assert sample.labels is not None
    np.testing.assert_array_equal(sample.labels, np.repeat(bands, 2, axis=1)[:, :47])


def four_bit_png(width: int, height: int, rows: np.ndarray) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 4, 0, 0, 0, 0))
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def test_one_file_is_a_set_of_one(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    write_labels(labels / "other_name.tif", cells())
    found = read_folder(images / "a.png", labels / "other_name.tif")
    assert found.names == ("a",)
    np.testing.assert_array_equal(found.load(0).labels, cells())


def test_a_scale_that_the_user_gives_replaces_that_of_the_files(images: Path) -> None:
    write_tiff(images / "a.tif", grey(), axes="YX", voxel_um=(0.31, 0.3))
    write_tiff(images / "b.tif", grey(), axes="YX")
    with pytest.raises(InputError, match=r"a\.tif.*with a pixel size.*without.*--voxel-um"):
        read_folder(images)
    found = read_folder(images, voxel_um=0.5)
    assert [found.grid(i).voxel_um for i in range(2)] == [(0.5, 0.5)] * 2
    with pytest.raises(RecipeError, match="--voxel-um is -1; give a positive number"):
        read_folder(images, voxel_um=-1)


def test_without_any_scale_a_pixel_counts_as_one(images: Path) -> None:
    write_png(images / "a.png", grey())
    grid = read_folder(images).grid(0)
    assert (grid.voxel_um, grid.is_scale_known, grid.unit) == ((1.0, 1.0), False, "px")


@pytest.mark.parametrize("alpha", [False, True])
def test_grey_stored_as_colour_is_grey(images: Path, alpha: bool, caplog: pytest.LogCaptureFixture) -> None:
    plane = grey()
    planes = [plane] * 3 + ([np.full(SHAPE, 255, np.uint8)] if alpha else [])
    write_png(images / "a.png", np.stack(planes, -1))
    write_png(images / "b.png", grey())
    found = read_folder(images)
    np.testing.assert_array_equal(found.load(0).counts[0], plane)
    assert not caplog.records


def test_the_only_channel_with_signal_is_taken_and_said(
    images: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plane = grey()
    dark = np.zeros_like(plane)
    write_png(images / "a.png", np.stack([dark, dark, plane], -1))
    write_tiff(images / "b.tif", np.stack([dark, dark + 7, plane]), axes="CYX")
    with caplog.at_level(logging.WARNING):
        found = read_folder(images)
    for i in range(2):
        np.testing.assert_array_equal(found.load(i).counts[0], plane)
    assert [r.levelname for r in caplog.records] == ["WARNING"]
    assert "2 images (such as a.png) only channel 2" in caplog.text


@pytest.mark.parametrize(
    ("channel", "expected"), [(1, 1), ("1", 1), ("green", 1), ("Blue", 2), ("mean", None)]
)
def test_a_channel_of_a_colour_picture_can_be_named(
    images: Path, channel: int | str, expected: int | None
) -> None:
    colour = grey(shape=(*SHAPE, 3))
    write_png(images / "a.png", colour)
    write_png(images / "grey.png", colour[..., 0])
    found = read_folder(images, channel=channel)
    plane = colour.mean(-1) if expected is None else colour[..., expected]
    np.testing.assert_allclose(found.load(0).image[0], plane / 255, atol=1e-6)
    np.testing.assert_array_equal(found.load(1).counts[0], colour[..., 0])


def test_a_channel_can_have_the_name_that_the_file_gives(images: Path) -> None:
    planes = grey("uint16", (2, *SHAPE))
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "actin"]}}
    tifffile.imwrite(images / "a.ome.tif", planes, ome=True, metadata=metadata)
    found = read_folder(images, channel="dapi")
    assert found.names == ("a",)
    np.testing.assert_array_equal(found.load(0).counts[0], planes[0])
    with pytest.raises(InputError, match="has no channel 'green'; it has 2, 0 to 1 \\(dapi, actin\\)"):
        read_folder(images, channel="green")


def test_planes_without_a_name_are_channels_where_the_user_says_so(images: Path) -> None:
    planes = grey("uint16", (2, *SHAPE))
    tifffile.imwrite(images / "a.tif", planes)
    with pytest.raises(InputError, match=r"QYX \(2, 31, 47\).*--channel 0 to 1"):
        read_folder(images)
    np.testing.assert_array_equal(read_folder(images, channel=1).load(0).counts[0], planes[1])


def test_all_problems_of_a_folder_are_told_together(images: Path) -> None:
    write_png(images / "a.png", grey())
    write_png(images / "b.png", grey("uint16"))
    write_png(images / "c.png", grey(shape=(*SHAPE, 3)))
    write_tiff(images / "d.tif", grey("uint16", (5, *SHAPE)), axes="ZYX")
    for i in range(9):
        (images / f"empty{i}.png").touch()
    with pytest.raises(InputError) as caught:
        read_folder(images)
    text = str(caught.value)
    assert "12 problems" in text
    assert "and 4 more" in text
    assert "d.tif: has axes ZYX" in text
    (images / "empty0.png").unlink()
    for i in range(1, 9):
        (images / f"empty{i}.png").unlink()
    with pytest.raises(InputError) as caught:
        read_folder(images)
    text = str(caught.value)
    assert "1 image (such as c.png) with 3 channels (red, green, blue)" in text
    assert "beside 2 grey images (such as a.png)" in text
    assert "1 uint16 image (such as b.png), 2 uint8 images (such as a.png)" in text


def test_sizes_may_differ(images: Path) -> None:
    write_png(images / "a.png", grey())
    write_png(images / "b.png", grey(shape=(47, 31)))
    assert [read_folder(images).grid(i).shape_px for i in range(2)] == [(31, 47), (47, 31)]


def test_a_link_to_a_file_that_is_gone_is_told(images: Path) -> None:
    write_png(images / "a.png", grey())
    (images / "b.png").symlink_to(images / "gone.png")
    with pytest.raises(InputError, match=r"b\.png: cannot be read"):
        read_folder(images)


def test_lossy_compression_is_said(images: Path, caplog: pytest.LogCaptureFixture) -> None:
    tifffile.imwrite(images / "a.tif", grey(), compression="jpeg")
    assert read_folder(images).load(0).image.shape == (1, *SHAPE)
    assert "1 image (such as a.tif) compressed with loss" in caplog.text


def test_two_files_of_one_name_are_refused(images: Path) -> None:
    write_png(images / "a.png", grey())
    write_tiff(images / "a.ome.tif", grey(), axes="YX")
    with pytest.raises(InputError, match=r"a\.ome\.tif and a\.png would have the same name 'a'"):
        read_folder(images)


def test_missing_and_empty_folders_say_what_to_give(images: Path) -> None:
    with pytest.raises(InputError, match=r"it is empty"):
        read_folder(images)
    with pytest.raises(InputError, match=r"no such folder or file \(did you mean .*images"):
        read_folder(images.parent / "imagse")
    (images / "raw").mkdir()
    with pytest.raises(InputError, match=r"subfolders are not searched: give one of raw"):
        read_folder(images)
    (images / "raw").rmdir()
    (images / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"it holds notes\.txt"):
        read_folder(images)


@pytest.mark.parametrize("suffix", ["", "_labels", "_mask", "_Label", "_masks"])
def test_labels_are_found_by_name_and_images_may_be_without(images: Path, labels: Path, suffix: str) -> None:
    for name in ("a", "b"):
        write_png(images / f"{name}.png", grey())
    write_labels(labels / f"b{suffix}.tif", cells())
    found = read_folder(images, labels)
    assert [found.has_labels(i) for i in range(2)] == [False, True]
    assert found.load(0).labels is None
    read = found.load(1).labels
    assert read is not None
    assert read.dtype == np.int32
    np.testing.assert_array_equal(read, cells())
    assert found.labelled().names == ("b",)


def test_a_part_of_a_folder_can_be_taken_by_name(images: Path, labels: Path) -> None:
    for name in ("a", "b"):
        write_png(images / f"{name}.png", grey())
        write_labels(labels / f"{name}.tif", cells())
    write_png(images / "colour.png", grey(shape=(*SHAPE, 3)))
    found = read_folder(images, labels, only={"b"})
    assert (found.names, found.n_labelled) == (("b",), 1)
    with pytest.raises(InputError, match="no image of the names asked for: c"):
        read_folder(images, only=["b", "c"])


def test_labels_without_an_image_list_both_sides(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    write_png(images / "b.png", grey())
    write_labels(labels / "a.tif", cells())
    write_labels(labels / "c.tif", cells())
    with pytest.raises(
        InputError, match=r"labels without an image: c\.tif; images of .* without labels: b\.png"
    ):
        read_folder(images, labels)
    (labels / "a.tif").unlink()
    with pytest.raises(InputError, match=r"no label file has the name of an image"):
        read_folder(images, labels)


def test_two_label_files_of_one_image_are_refused(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    write_labels(labels / "a.tif", cells())
    write_labels(labels / "a_mask.tif", cells())
    with pytest.raises(InputError, match=r"a\.tif and a_mask\.tif both belong to a\.png"):
        read_folder(images, labels)


def test_labels_of_another_shape_are_refused_before_reading(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    write_labels(labels / "a.tif", cells().T.copy())
    with pytest.raises(
        InputError, match=r"a\.tif: labels are YX \(47, 31\) and the image a\.png is \(31, 47\)"
    ):
        read_folder(images, labels)


def test_gaps_in_ids_are_closed_in_memory_and_said(
    images: Path, labels: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_png(images / "a.png", grey())
    gappy = cells() * 4  # 4, 8, 12
    write_labels(labels / "a.tif", gappy)
    np.testing.assert_array_equal(read_folder(images, labels).load(0).labels, cells())
    assert "ids of its 3 cells have gaps (largest 12)" in caplog.text


def test_an_empty_label_image_is_a_field_without_cells(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    write_labels(labels / "a.tif", np.zeros(SHAPE, np.int32))
    read = read_folder(images, labels).load(0).labels
    assert read is not None
    assert read.max() == 0


def test_a_single_cell_with_crumbs_is_a_cell_and_no_mask(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    one = np.zeros(SHAPE, np.uint8)
    one[3:20, 3:20] = 255
    one[25, 25] = 255
    write_png(labels / "a.png", one)
    read = read_folder(images, labels).load(0).labels
    assert read is not None
    assert read.max() == 1


def test_many_cells_of_two_ids_are_cells_where_they_are_few_regions(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    write_labels(labels / "a.tif", cells(2))
    assert read_folder(images, labels).load(0).labels is not None


def test_hashes_name_every_file(images: Path, labels: Path) -> None:
    write_png(images / "a.png", grey())
    write_labels(labels / "a.tif", cells())
    hashes = read_folder(images, labels).hashes()
    assert list(hashes) == ["images/a.png", "labels/a.tif"]
    assert all(len(value) == 64 for value in hashes.values())


def test_a_file_that_changes_after_the_folder_was_read_is_told(images: Path) -> None:
    write_png(images / "a.png", grey())
    found = read_folder(images)
    write_png(images / "a.png", grey(shape=(47, 31)))
    with pytest.raises(InputError, match=r"a\.png.*changed in between"):
        found.load(0)
    (images / "a.png").unlink()
    with pytest.raises(InputError, match=r"a\.png.*cannot be read"):
        found.load(0)


def test_checking_pixels_tells_all_problems_together(images: Path) -> None:
    for name in ("a", "b"):
        tifffile.imwrite(images / f"{name}.tif", np.full(SHAPE, np.nan, np.float32))
    write_tiff(images / "c.tif", RNG.random(SHAPE, np.float32), axes="YX")
    with pytest.raises(InputError, match=r"(?s)2 problems.*a\.tif: 1457 values are NaN.*b\.tif"):
        read_folder(images).check_pixels()


def test_a_set_can_be_cut_and_walked_through(images: Path) -> None:
    for name in ("a", "b", "c"):
        write_png(images / f"{name}.png", grey())
    found = read_folder(images)
    assert [sample.name for sample in found] == ["a", "b", "c"]
    assert found[1:].names == ("b", "c")
    assert found.take([2, 0]).names == ("c", "a")
    assert found.index_of("c") == 2


def test_predictions_are_read_without_images_and_paired_by_name(labels: Path, tmp_path: Path) -> None:
    (tmp_path / "predicted").mkdir()
    write_labels(labels / "a_masks.tif", cells())
    write_labels(tmp_path / "predicted" / "a.tif", (cells() > 0).astype(np.int32))
    prediction, reference = read_labels(tmp_path / "predicted"), read_labels(labels)
    assert pair_labels(prediction, reference) == ("a",)
    assert prediction.load("a").max() == 1
    write_labels(labels / "b.tif", cells())
    with pytest.raises(InputError, match="only in the prediction none; only in the reference b"):
        pair_labels(prediction, read_labels(labels))


def test_the_images_of_the_package_are_read_with_their_labels() -> None:
    folder = Path(__file__).parents[2] / "src" / "cellsynth" / "demo_data"
    if not (folder / "images").is_dir():
        pytest.skip("the package carries no demo images in this checkout")
    tiles = sorted((folder / "images").glob("dsb_tile*.png"))
    assert tiles
    for tile in tiles:
        sample = read_folder(tile, folder / "labels" / tile.name).load(0)
        assert sample.labels is not None
        assert sample.labels.max() > 1
        assert sample.image.std() > 0
    with pytest.raises(InputError, match="--channel"):
        read_folder(folder / "images" / "he_hgsc.png")


def test_grey_images_beside_colour_have_no_channel_to_name(images: Path) -> None:
    write_png(images / "a.png", grey())
    write_png(images / "b.png", np.stack([grey()] * 3, axis=-1))
    assert len(read_folder(images, channel="green")) == 2
    (images / "b.png").unlink()
    with pytest.raises(
        InputError, match=r"has no channel 'green'; 1 image \(such as a\.png\) with one channel"
    ):
        read_folder(images, channel="green")
