"""The commands `spots` and `composite`."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellsynth.cli import main
from cellsynth.core.errors import InputError, OutputExistsError, RecipeError
from cellsynth.io.formats import read_header, read_pixels
from cellsynth.io.labels import write_labels
from cellsynth.io.png import write_png
from cellsynth.io.tiff import write_tiff
from cellsynth.pipeline.composite import composite_images
from cellsynth.pipeline.spots import add_spots


@pytest.fixture
def cells(tmp_path):
    """Labels and images of two planes of other sizes and types."""
    for i, shape in enumerate([(41, 57), (63, 39)]):
        labels = np.zeros(shape, np.int32)
        labels[4:22, 5:25], labels[24:40, 8:36] = 1, 2
        write_labels(tmp_path / f"labels/im{i}_mask.tif", labels, voxel_um=(0.5, 0.25) if i else None)
    (tmp_path / "images").mkdir()
    write_png(tmp_path / "images/im0.png", np.full((41, 57, 3), 200, np.uint8))
    write_tiff(tmp_path / "images/im1.tif", np.full((63, 39), 30000, np.uint16), axes="YX")
    return tmp_path


@pytest.fixture(autouse=True)
def folders(tmp_path):
    (tmp_path / "labels").mkdir()


def test_spots_lie_in_their_cells_and_shine_on_the_images(cells):
    out = add_spots(
        cells / "labels", cells / "out", ["number=6", "radius_um=0.6"], images=cells / "images", quiet=True
    )
    table = pd.read_csv(out / "spots.csv")
    assert list(table["image"].unique()) == ["im0", "im1"]
    assert (table.groupby(["image", "cell_id"]).size() == 6).all()
    for name in ("im0", "im1"):
        labels = read_pixels(cells / f"labels/{name}_mask.tif")
        spots = tifffile.imread(out / f"labels_spots/{name}.tif")
        rows = table[table["image"] == name]
        index = rows[["y_px", "x_px"]].round().astype(int).to_numpy()
        assert np.array_equal(labels[tuple(index.T)], rows["cell_id"])
        assert np.array_equal(np.unique(spots), np.arange(len(rows) + 1))
    coloured = read_pixels(out / "images/im0.png")
    assert coloured.shape == (41, 57, 3)
    assert coloured.max() == 255
    assert coloured.min() == 200
    sixteen = read_pixels(out / "images/im1.tif")
    assert sixteen.dtype == np.uint16
    assert sixteen.max() > 40000
    assert read_header(out / "labels_spots/im1.tif").voxel_um == (1.0, 0.5, 0.25)


def test_the_seed_decides(cells):
    tables = [
        (add_spots(cells / "labels", cells / f"out{i}", seed=seed, quiet=True) / "spots.csv").read_text()
        for i, seed in enumerate((0, 0, 1))
    ]
    assert tables[0] == tables[1] != tables[2]


def test_a_scale_that_is_not_known_counts_in_pixels_and_one_that_is_given_in_um(cells):
    add_spots(cells / "labels/im0_mask.tif", cells / "px", ["radius_um=2"], quiet=True)
    assert {"radius_px", "y_px"} <= set(pd.read_csv(cells / "px/spots.csv"))
    assert "y_um" not in pd.read_csv(cells / "px/spots.csv")
    add_spots(cells / "labels/im0_mask.tif", cells / "um", ["radius_um=2"], voxel_um="0.5,0.25", quiet=True)
    table = pd.read_csv(cells / "um/spots.csv")
    assert table["x_um"].to_numpy() == pytest.approx((table["x_px"] + 0.5) * 0.25, abs=1e-4)


def test_volumes_work(cells):
    labels = np.zeros((9, 31, 35), np.int32)
    labels[2:7, 5:25, 5:30] = 1
    write_labels(cells / "volume.tif", labels, voxel_um=(1.0, 0.5, 0.5))
    add_spots(cells / "volume.tif", cells / "out", ["number=9"], quiet=True)
    assert tifffile.imread(cells / "out/labels_spots/volume.tif").max() == 9
    assert tifffile.imread(cells / "out/spots/volume.tif").shape == labels.shape


@pytest.mark.parametrize(
    ("overrides", "options", "error", "message"),
    [
        (["numbr=3"], {}, RecipeError, "numbr"),
        (["cluster.matrix=[[1,2],[2,4]]"], {}, RecipeError, "singular"),
        ([], {"voxel_um": "1,2,3"}, InputError, "3 numbers"),
        ([], {"voxel_um": "zero"}, RecipeError, "needs a positive number"),
    ],
)
def test_odd_settings_are_refused_and_leave_nothing(cells, overrides, options, error, message):
    with pytest.raises(error, match=message):
        add_spots(cells / "labels", cells / "out", overrides, **options, quiet=True)
    assert not (cells / "out").exists()


def test_images_that_do_not_belong_are_refused(cells):
    (cells / "images/im1.tif").unlink()
    with pytest.raises(InputError, match="no image called 'im1'"):
        add_spots(cells / "labels", cells / "out", images=cells / "images", quiet=True)
    write_tiff(cells / "images/im1.tif", np.zeros((5, 6), np.uint8), axes="YX")
    with pytest.raises(InputError, match="crop one"):
        add_spots(cells / "labels", cells / "out", images=cells / "images", quiet=True)
    assert not (cells / "out").exists()


def test_folders_are_put_on_one_another(cells):
    for name, pixels in {"im0": np.full((41, 57, 1), 100, np.uint8)}.items():
        (cells / "above").mkdir()
        write_png(cells / f"above/{name}.png", pixels[..., 0])
    write_tiff(cells / "above/im1.tif", np.full((63, 39), 40000, np.uint16), axes="YX")
    assert (
        main(["composite", str(cells / "images"), str(cells / "above"), str(cells / "out"), "--quiet"]) == 0
    )
    assert (read_pixels(cells / "out/im0.png") == 255).all()
    assert (read_pixels(cells / "out/im1.tif") == 65535).all()
    out = composite_images(
        cells / "images", cells / "above", cells / "mixed", mode="alpha", alpha=0.25, quiet=True
    )
    assert (read_pixels(out / "im0.png") == 175).all()
    assert (read_pixels(out / "im1.tif") == 32500).all()


def test_what_cannot_be_put_together_is_refused(cells):
    (cells / "above").mkdir()
    write_png(cells / "above/im0.png", np.zeros((41, 57), np.uint8))
    with pytest.raises(InputError, match="do not hold the same names"):
        composite_images(cells / "images", cells / "above", cells / "out", quiet=True)
    write_tiff(cells / "above/im1.tif", np.zeros((63, 38), np.uint16), axes="YX")
    with pytest.raises(InputError, match=r"im1\.tif.*shapes"):
        composite_images(cells / "images", cells / "above", cells / "out", quiet=True)
    with pytest.raises(RecipeError, match="--alpha is 2"):
        composite_images(cells / "images", cells / "images", cells / "out", mode="alpha", alpha=2, quiet=True)
    assert not (cells / "out").exists()
    with pytest.raises(OutputExistsError):
        composite_images(cells / "images", cells / "images", cells / "labels", quiet=True)
