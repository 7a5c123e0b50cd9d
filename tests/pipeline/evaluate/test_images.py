"""Evaluation of aligned images and of sets: ranges, colours, volumes, parts."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from cellsynth.core.errors import InputError, RecipeError
from cellsynth.evaluate.features import PictureSet
from cellsynth.evaluate.naming import parse_metric
from cellsynth.io.labels import write_labels
from cellsynth.pipeline.evaluate.images import evaluate_images
from cellsynth.pipeline.evaluate.sets import IMAGES_AT_A_TIME, evaluate_sets
from tests.evaluate.picture_fields import textures

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 200, (31, 47), np.uint8)


@pytest.fixture
def folders(tmp_path):
    """Write pairs (candidate, reference) of images; gives both folders."""

    def write(*pairs, names=None, **options):
        for place, side in enumerate(("candidate", "reference")):
            (tmp_path / side).mkdir(exist_ok=True)
            for i, pair in enumerate(pairs):
                tifffile.imwrite(tmp_path / side / f"{names[i] if names else i}.tif", pair[place], **options)
        return tmp_path / "candidate", tmp_path / "reference"

    return write


def test_scores_are_those_of_the_metrics(folders):
    both = folders((GREY + np.uint8(10), GREY), (GREY, GREY + np.uint8(20)))
    table = evaluate_images(*both, metrics="psnr,nrmse", quiet=True).set_index("metric")
    first, second = (20 * np.log10(255 / step) for step in (10, 20))
    assert table.loc["psnr", "mean"] == pytest.approx((first + second) / 2)
    assert table.loc["psnr", "unit"] == "dB"


def test_equal_images_have_an_infinite_ratio_and_no_interval(folders):
    table = evaluate_images(*folders((GREY, GREY)), quiet=True).set_index("metric")
    assert table.loc["psnr", ["mean", "pooled"]].tolist() == [np.inf, np.inf]
    assert np.isnan(table.loc["psnr", "low"])
    assert table.loc["ssim", "mean"] == 1


def test_the_range_of_sixteen_bits_must_be_given(folders, tmp_path):
    both = folders((GREY.astype(np.uint16) + 1, GREY.astype(np.uint16)))
    with pytest.raises(InputError, match="images are uint16, .*--data-range 65535, 4095"):
        evaluate_images(*both, quiet=True)
    out = tmp_path / "out"
    table = evaluate_images(*both, data_range="4095", metrics="psnr", out=out, quiet=True)
    assert table["mean"].tolist() == pytest.approx([20 * np.log10(4095)])
    assert json.loads((out / "summary.json").read_text())["options"] == {"data_range": [0.0, 4095.0]}
    assert pd.read_parquet(out / "scores.parquet")["metric"].tolist() == ["psnr"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"data_range": "0"}, "--data-range is 0"),
        ({"data_range": "5,1"}, "--data-range is 5,1"),
        ({"data_range": "wide"}, "--data-range is wide"),
        ({"metrics": "frechet_distance"}, "sets of images, and here are aligned images; .*evaluate-sets"),
    ],
)
def test_a_wrong_option_is_named_before_any_file_is_read(tmp_path, options, message):
    with pytest.raises(RecipeError, match=message):
        evaluate_images(tmp_path / "a", tmp_path / "b", **options)


def test_colours_and_volumes_are_taken_as_they_are(folders, tmp_path):
    colour = RNG.integers(0, 200, (31, 47, 3), np.uint8)
    assert evaluate_images(*folders((colour, colour)), metrics="ssim", quiet=True)["mean"].tolist() == [1]
    volume = RNG.integers(0, 200, (13, 31, 47), np.uint8)
    both = folders((volume + np.uint8(10), volume), metadata={"axes": "ZYX"})
    table = evaluate_images(*both, quiet=True)
    assert table["metric"].tolist() == ["psnr", "ssim", "nrmse"]
    assert table["mean"][0] == pytest.approx(20 * np.log10(255 / 10))


def test_planes_that_may_be_channels_or_slices_are_refused(folders):
    planes = RNG.integers(0, 200, (3, 31, 47), np.uint8)
    both = folders((planes, planes), photometric="minisblack", metadata=None)
    with pytest.raises(InputError, match="may be channels or slices"):
        evaluate_images(*both, quiet=True)


def test_images_that_do_not_fit_are_named(folders):
    with pytest.raises(InputError, match=r"0\.tif: reference and candidate differ in shape"):
        evaluate_images(*folders((GREY[:-3], GREY)), quiet=True)


def test_names_must_be_the_same(folders, tmp_path):
    both = folders((GREY, GREY))
    tifffile.imwrite(tmp_path / "candidate" / "more.tif", GREY)
    with pytest.raises(InputError, match="only in the first more; only in the second none"):
        evaluate_images(*both, quiet=True)


def test_sets_in_parts_score_as_the_whole(folders, tmp_path):
    n = IMAGES_AT_A_TIME + 5
    candidate, reference = textures(n, grain_px=1.5), textures(n, seed=1)
    images = [
        tuple(np.uint8(255 * image[0]) for image in pair)
        for pair in zip(candidate.images, reference.images, strict=True)
    ]
    both = folders(*images)
    names = "statistics_distance,frechet_distance,precision"
    out = tmp_path / "out"
    table = evaluate_sets(*both, metrics=names, out=out, quiet=True)
    sides = [PictureSet([pair[place] for pair in images], data_range=255) for place in (1, 0)]
    for name, value in zip(names.split(","), table["value"], strict=True):
        metric = parse_metric(name, "realism")
        assert value == pytest.approx(metric.score(metric.measure(*sides)))
    parts = pd.read_parquet(out / "scores.parquet")
    assert {"", "spectrum", "intensity"} <= set(parts["part"])


def test_a_set_may_be_larger_than_the_other(folders, tmp_path):
    images = [image[0] for image in textures(4).images]
    both = folders(*((image, image) for image in images[:3]))
    tifffile.imwrite(both[0] / "more.tif", images[3])
    table = evaluate_sets(*both, metrics="statistics_distance", data_range="1", quiet=True)
    assert table["value"][0] > 0


def test_metrics_of_pairs_need_as_many_images(folders):
    volumes = [(RNG.integers(0, 200, (5, 31, 47), np.uint8),) * 2]
    both = folders(*volumes, metadata={"axes": "ZYX"})
    tifffile.imwrite(both[0] / "more.tif", volumes[0][0], metadata={"axes": "ZYX"})
    with pytest.raises(InputError, match="depth_wasserstein: .* one by one"):
        evaluate_sets(*both, metrics="depth_wasserstein", quiet=True)


def test_metrics_of_cells_take_labels(folders, tmp_path):
    volume = RNG.integers(0, 200, (9, 31, 47), np.uint8)
    labels = np.zeros((9, 31, 47), np.uint16)
    labels[2:6, 5:20, 5:20], labels[3:7, 22:28, 30:40] = 1, 2
    both = folders((volume, volume), metadata={"axes": "ZYX"})
    with pytest.raises(InputError, match="needs the labels"):
        evaluate_sets(*both, metrics="depth_wasserstein", quiet=True)
    (tmp_path / "labels").mkdir()
    write_labels(tmp_path / "labels" / "0_labels.tif", labels)
    given = {"candidate_labels": tmp_path / "labels", "reference_labels": tmp_path / "labels"}
    table = evaluate_sets(*both, metrics="depth_wasserstein", quiet=True, **given)
    assert table["value"].tolist() == [1.0]
