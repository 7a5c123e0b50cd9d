"""The commands `spots` and `composite`."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellsynth import add_spots, composite_images, evaluate_points, synthesize
from cellsynth.cli import main
from cellsynth.core.errors import InputError, OutputExistsError, RecipeError
from cellsynth.io.formats import read_header, read_pixels
from cellsynth.io.labels import write_labels
from cellsynth.io.png import write_png
from cellsynth.io.tiff import write_tiff


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
    assert table["x_um"].to_numpy() == pytest.approx(table["x_px"] * 0.25, abs=1e-4)


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
        ([], {"alpha": -1.0}, RecipeError, "--alpha is -1"),
        ([], {"mode": "alpha", "alpha": 1.5}, RecipeError, "--alpha is 1.5"),
        ([], {"brightness": float("nan")}, RecipeError, "--brightness is nan"),
        ([], {"blur_um": -0.1}, RecipeError, "--blur-um is -0.1"),
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


def test_cells_keep_the_ids_of_their_file_and_their_spots_whatever_else_is_there(cells):
    labels = np.zeros((41, 57), np.uint16)
    labels[4:22, 5:25], labels[24:40, 8:36] = 7, 300
    write_labels(cells / "both.tif", labels, voxel_um=(0.5, 0.25))
    write_labels(cells / "one.tif", np.where(labels == 300, labels, 0), voxel_um=(0.5, 0.25))
    (cells / "one").mkdir()
    (cells / "one.tif").rename(cells / "one/both.tif")
    both, one = (
        pd.read_csv(add_spots(cells / source, cells / f"out{i}", quiet=True) / "spots.csv")
        for i, source in enumerate(("both.tif", "one"))
    )
    assert both["cell_id"].value_counts().to_dict() == {7: 5, 300: 5}
    own = both[both["cell_id"] == 300].reset_index(drop=True)
    pd.testing.assert_frame_equal(own.drop(columns="label"), one.drop(columns="label"))


def test_positions_are_those_that_points_are_scored_by(cells):
    """Spots of one pixel: the centroids of their labels are where the table says, but for the part of a pixel."""
    out = add_spots(cells / "labels/im1_mask.tif", cells / "out", ["number=40", "radius_um=0.01"], quiet=True)
    table = pd.read_csv(out / "spots.csv")
    for columns in (["y_px", "x_px"], ["y_um", "x_um"]):
        table[["image", *columns]].to_csv(cells / "points.csv", index=False)
        f1, error = evaluate_points(
            out / "labels_spots",
            cells / "points.csv",
            radius=0.71,
            metrics="f1,localisation_error",
            quiet=True,
        )["mean"]
        assert f1 == 1
        # In pixels: the mean distance of a point of a square to its middle.
        assert error == pytest.approx(0.3826, rel=0.15)


@pytest.mark.parametrize("ndim", [2, 3])
def test_light_adds_up_and_blur_spreads_it(cells, ndim):
    labels = np.zeros((21, 41, 57)[-ndim:], np.uint16)
    labels[(slice(10, 11), slice(18, 24), slice(25, 32))[-ndim:]] = 1  # no light comes to the border
    voxel = (1.0, 0.5, 0.25)[-ndim:]
    write_labels(cells / "c.tif", labels, voxel_um=voxel)
    given = ["number=2", "radius_um=0.5", "intensity=1"]
    sharp, wide = (
        tifffile.imread(
            add_spots(cells / "c.tif", cells / f"{blur}", given, brightness=0.05, blur_um=blur, quiet=True)
            / "spots/c.tif"
        )
        for blur in (0.0, 0.6)
    )
    unit = np.pi * 0.25 if ndim == 2 else 4 / 3 * np.pi * 0.125
    for light in (sharp, wide):
        assert light.sum() == pytest.approx(2 * unit / np.prod(voxel) * 0.05 * 65535, rel=0.01)
    assert wide.max() < 0.6 * sharp.max()


def test_colour_is_put_over_grey_and_over_colour(cells):
    options = {"images": cells / "images", "colour": "green", "quiet": True}
    out = add_spots(cells / "labels", cells / "out", ["radius_um=0.8"], **options)
    light, made = tifffile.imread(out / "spots/im1.tif"), tifffile.imread(out / "images/im1.tif")
    assert made.shape == (3, 63, 39)
    assert (made[[0, 2]] == 30000).all()
    assert np.array_equal(made[1], np.minimum(30000 + light.astype(int), 65535))
    coloured = read_pixels(out / "images/im0.png")
    assert (coloured[..., [0, 2]] == 200).all()
    assert coloured[..., 1].max() == 255


def test_mixed_light_is_that_of_the_spots_alone_with_its_share(cells):
    out = add_spots(
        cells / "labels", cells / "out", ["radius_um=0.8"], images=cells / "images", mode="alpha", quiet=True
    )
    light, made = tifffile.imread(out / "spots/im1.tif"), tifffile.imread(out / "images/im1.tif")
    assert np.array_equal(made, np.rint(0.5 * 30000 + 0.5 * light))


def test_the_camera_of_a_dataset_says_what_is_full(tmp_path):
    overrides = ["n_samples=1", "grid.shape_px=[61, 83]", "labels.density_per_mm2=9000"]
    synthesize("nuclei_2d", tmp_path / "set", overrides, workers=1, quiet=True)
    out = add_spots(tmp_path / "set", tmp_path / "out", images=tmp_path / "set", brightness=99.0, quiet=True)
    for part in ("spots", "images"):
        assert tifffile.imread(next((out / part).glob("*.tif"))).max() == 4095
    sums = composite_images(tmp_path / "set", out / "images", tmp_path / "sums", quiet=True)
    assert tifffile.imread(next(sums.glob("*.tif"))).max() == 4095


def test_what_was_done_is_written_down(cells):
    out = add_spots(
        cells / "labels", cells / "out", ["hosts=0.5"], images=cells / "images", seed=3, quiet=True
    )
    record = json.loads((out / "spots.json").read_text())
    assert (record["settings"]["seed"], record["settings"]["spots"]["hosts"]) == (3, 0.5)
    assert set(record["inputs"]) == {"labels/im0", "labels/im1", "images/im0", "images/im1"}
    out = composite_images(cells / "images", cells / "images", cells / "sum", mode="alpha", quiet=True)
    record = json.loads((out / "composite.json").read_text())
    assert record["settings"] == {"mode": "alpha", "alpha": 0.5}
    assert set(record["inputs"]) == {f"{side}/im{i}" for side in ("below", "above") for i in (0, 1)}


def test_lengths_that_are_pixels_are_told_of_once(cells, caplog):
    (cells / "labels/im1_mask.tif").unlink()
    write_labels(cells / "labels/im2.tif", np.ones((5, 31, 47), np.uint16))
    add_spots(cells / "labels", cells / "out", quiet=True)
    assert caplog.text.count("lengths such as radius_um are in pixels") == 1


def test_a_grey_image_is_no_label_image(cells, key):
    write_tiff(cells / "grey.tif", key.generator().integers(0, 255, (41, 57), np.uint8), axes="YX")
    with pytest.raises(InputError, match="is a grey image and no labels"):
        add_spots(cells / "grey.tif", cells / "out", quiet=True)


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
