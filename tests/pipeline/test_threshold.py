"""Generated masks to label files: what is written, and what is said of what cannot be used."""

import json

import imagecodecs
import numpy as np
import pytest
import tifffile

from cellsynth.cli import main
from cellsynth.core.errors import InputError, OutputExistsError, RecipeError
from cellsynth.io.formats import read_header, read_pixels
from cellsynth.io.png import write_png
from cellsynth.io.tiff import write_tiff
from cellsynth.pipeline.threshold import threshold_images
from tests.extract.test_instances import PAIR_2D, PAIR_3D, balls, encode

CELLS = balls(*PAIR_2D)


@pytest.fixture
def folder(tmp_path):
    """Soft masks: 8 bit, colours, and 16 bit of dark cells on white."""
    (tmp_path / "masks").mkdir()
    soft = np.where(CELLS > 0, 200, 30).astype(np.uint8)
    write_png(tmp_path / "masks" / "a.png", soft, (0.5, 0.5))
    write_png(tmp_path / "masks" / "b.png", np.stack([soft, soft - 20, soft + 20], -1))
    return tmp_path / "masks"


def run(*paths, **options):
    return threshold_images(*paths, workers=1, quiet=True, **options)


def test_masks_become_labels_of_the_same_names_and_scale(folder, tmp_path):
    out = run(folder, tmp_path / "out")
    for name in ("a", "b"):
        assert read_pixels(out / f"{name}.tif").max() == 2
        assert np.array_equal(read_pixels(out / f"{name}.tif") > 0, CELLS > 0)
    assert read_header(out / "a.tif").voxel_um == (1.0, 0.5, 0.5)
    assert read_header(out / "b.tif").voxel_um is None
    record = json.loads((out / "threshold.json").read_text())
    assert [(i["image"], i["level"], i["n_objects"]) for i in record["images"]] == [
        ("a", 127.5, 2),
        ("b", 127.5, 2),
    ]
    assert record["settings"]["neck"] == 0.9


def test_binary_masks_keep_the_foreground_alone(folder, tmp_path):
    out = run(folder, tmp_path / "out", binary=True, level=100)
    mask = read_pixels(out / "a.png")
    assert np.array_equal(mask, np.where(CELLS > 0, 255, 0))
    assert read_header(out / "a.png").voxel_um == (1.0, 0.5, 0.5)


def test_volumes_of_16_bits_and_dark_cells(tmp_path):
    cells = balls(*PAIR_3D)
    write_tiff(
        tmp_path / "a.tif", np.where(cells > 0, 3000, 40000).astype(np.uint16), axes="ZYX", voxel_um=(1, 1, 1)
    )
    labels = read_pixels(run(tmp_path / "a.tif", tmp_path / "out", dark=True) / "a.tif")
    assert labels.max() == 2
    assert np.array_equal(labels > 0, cells > 0)
    assert read_pixels(run(tmp_path / "a.tif", tmp_path / "b", dark=True, binary=True) / "a.tif").max() == 255


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_three_classes_are_read_at_their_own_levels(tmp_path, dtype):
    full_scale = np.iinfo(dtype).max
    write_png(tmp_path / "a.png", encode(CELLS, full_scale).astype(dtype))
    labels = read_pixels(run(tmp_path / "a.png", tmp_path / "out", three_classes=True) / "a.tif")
    assert labels.max() == 2
    assert np.array_equal(labels > 0, CELLS > 0)  # half of the range, and 127 of 255 is less


def test_cores_of_three_classes_are_divided_only_where_it_is_asked_for(tmp_path):
    dented = np.full((41, 67), 0, np.uint8)
    dented[8:34, 5:62] = 127
    dented[14:28, 11:56] = 255
    dented[14:20, 32:35] = 127
    dented[20, 20] = 0
    write_png(tmp_path / "a.png", dented)
    labels = read_pixels(run(tmp_path / "a.png", tmp_path / "whole", three_classes=True) / "a.tif")
    filled = dented > 0
    filled[20, 20] = True
    assert np.array_equal(labels, filled)
    path = run(tmp_path / "a.png", tmp_path / "divided", three_classes=True, neck=0.9)
    assert read_pixels(path / "a.tif").max() == 2
    path = run(tmp_path / "a.png", tmp_path / "open", three_classes=True, max_hole_px=0)
    assert read_pixels(path / "a.tif")[20, 20] == 0


def test_jpeg_is_read_as_what_it_was_before(folder, tmp_path):
    (tmp_path / "jpeg").mkdir()
    for name in ("a", "b"):
        pixels = read_pixels(folder / f"{name}.png")
        (tmp_path / "jpeg" / f"{name}.jpg").write_bytes(imagecodecs.jpeg_encode(pixels, level=95))
    out = run(tmp_path / "jpeg", tmp_path / "out")
    for name in ("a", "b"):
        labels = read_pixels(out / f"{name}.tif")
        assert labels.max() == 2
        assert np.count_nonzero((labels > 0) != (CELLS > 0)) <= 0.02 * np.count_nonzero(CELLS)


def test_areas_in_micrometres_are_those_of_pixels(folder, tmp_path):
    write_png(tmp_path / "a.png", np.where(CELLS > 0, 255, 0).astype(np.uint8), (0.5, 0.5))
    (small, large) = np.sort(np.bincount(CELLS.ravel())[1:])
    between = (small + large) / 2
    for options, n in (({"min_area_um2": between / 4}, 1), ({"min_area_um2": (small - 9) / 4}, 2)):
        out = run(tmp_path / "a.png", tmp_path / f"out{n}", **options)
        assert read_pixels(out / "a.tif").max() == n
    with pytest.raises(InputError, match=r"b.png: does not say the size of a pixel.*--voxel-um"):
        run(folder, tmp_path / "out", max_hole_um2=3.0)
    cells = balls(*PAIR_3D)
    cells[10, 15, 13] = 0
    write_tiff(
        tmp_path / "v.tif", np.where(cells > 0, 255, 0).astype(np.uint8), axes="ZYX", voxel_um=(2, 1, 0.5)
    )
    for area, is_filled in ((0.9, False), (1.0, True)):
        out = run(tmp_path / "v.tif", tmp_path / f"v{area}", max_hole_um2=area)
        assert (read_pixels(out / "v.tif")[10, 15, 13] > 0) == is_filled


def test_an_image_in_which_nothing_is_found_is_refused_or_left_out(folder, tmp_path):
    write_png(tmp_path / "masks" / "c.png", np.full((31, 47), 9, np.uint8))
    dim = np.zeros((31, 47), np.uint8)
    dim[4:20, 5:30] = 90
    write_png(tmp_path / "masks" / "d.png", dim)
    with pytest.raises(
        InputError, match=r"2 problems\n.*c.png: every pixel has the same value \(9\)"
    ) as refused:
        run(folder, tmp_path / "out")
    assert "d.png: nothing is found: 0.00% of the pixels are at or above the threshold 127.5" in str(
        refused.value
    )
    assert not (tmp_path / "out").exists()
    out = run(folder, tmp_path / "out", skip_empty=True)
    assert sorted(p.name for p in out.glob("*.tif")) == ["a.tif", "b.tif"]
    with pytest.raises(InputError, match="nothing is found in any of 1 images"):
        run(folder / "d.png", tmp_path / "other", skip_empty=True)
    assert read_pixels(run(folder / "d.png", tmp_path / "otsu", method="otsu") / "d.tif").max() == 1


def test_the_result_does_not_depend_on_workers(folder, tmp_path):
    one = run(folder, tmp_path / "one")
    two = threshold_images(folder, tmp_path / "two", workers=2, quiet=True)
    assert [p.read_bytes() for p in sorted(one.iterdir())] == [p.read_bytes() for p in sorted(two.iterdir())]


def test_floats_of_unknown_range_need_a_level(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.where(CELLS > 0, 1.0, -1.0).astype(np.float32))
    with pytest.raises(InputError, match="from -1 to 1, whose full range is not known; give --level"):
        run(tmp_path / "a.tif", tmp_path / "out")
    assert read_pixels(run(tmp_path / "a.tif", tmp_path / "out", level=0) / "a.tif").max() == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"neck": 1.5}, "--neck is 1.5"),
        ({"min_area_px": -1}, "--min-area-px is -1"),
        ({"max_hole_px": -1}, "--max-hole-px is -1"),
        ({"min_area_um2": -1.0}, "--min-area-um2 is -1"),
        ({"max_hole_um2": float("nan")}, "--max-hole-um2 is nan"),
        ({"neck": 0.9, "binary": True}, "--neck 0.9 and --binary"),
        ({"level": 100.0, "method": "otsu"}, "give one of both"),
        ({"level": 100.0, "three_classes": True}, "leave out --level"),
        ({"voxel_um": "0"}, "--voxel-um is 0; needs a positive number"),
    ],
)
def test_options_that_make_no_sense(folder, tmp_path, options, said):
    with pytest.raises(RecipeError, match=said):
        run(folder, tmp_path / "out", **options)


def test_as_a_command(folder, tmp_path, capsys):
    assert main(["threshold", str(folder), str(tmp_path / "out"), "--workers=1"]) == 0
    assert "4 objects in 2 images" in capsys.readouterr().err
    assert main(["threshold", str(folder), str(tmp_path / "out")]) == 4
    assert "nothing is overwritten" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["threshold", str(tmp_path / "empty"), str(tmp_path / "new")]) == 3
    assert "holds no images" in capsys.readouterr().err
    assert main(["threshold", str(folder), str(tmp_path / "new"), "--neck=2"]) == 2
    with pytest.raises(OutputExistsError):
        run(folder, folder)
