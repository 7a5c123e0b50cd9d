"""The main job on two small real images: whole, continued, with other numbers of workers, and with a bad method."""

import json
import shutil

import numpy as np
import pytest
import tifffile

from cellsynth import benchmark, calibrate_images, evaluate_labels, segment_images, synthesize, write_report
from cellsynth.cli import main
from cellsynth.data.dataset import verify
from cellsynth.demo_data import demo_images, demo_labels
from cellsynth.io.formats import read_pixels
from cellsynth.io.tables import read_json, read_parquet
from tests.workflows.commands import assert_same, files_in

SMALL = {"n_images": 2, "n_tuning": 1, "budget": 1, "methods": "otsu,voronoi_otsu"}
OPTIONS = [
    "--n-images=2",
    "--n-tuning=1",
    "--budget=1",
    "--methods=otsu,voronoi_otsu",
    "--workers=1",
    "--quiet",
]

TIMED = (
    "tables/outcomes_synthetic.parquet",
    "tables/outcomes_real.parquet",
    "tables/results.json",
    "report.html",
)
"""What holds seconds and megabytes."""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Folder with `images` and `labels`: a part of two images that the package carries, with human labels."""
    folder = tmp_path_factory.mktemp("real")
    for part, paths in (("images", demo_images()), ("labels", demo_labels())):
        (folder / part).mkdir()
        for path in [p for p in paths if p.stem in ("dsb_tile1", "dsb_tile2")]:
            pixels = read_pixels(path)[:144, :160]
            if part == "labels":
                pixels = np.unique(pixels, return_inverse=True)[1].reshape(pixels.shape).astype(np.uint16)
            tifffile.imwrite(folder / part / f"{path.stem}.tif", pixels)
    return folder


@pytest.fixture(scope="module")
def whole(real, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "out"
    page = benchmark(real / "images", out, reference=real / "labels", workers=1, quiet=True, **SMALL)
    assert page == out / "report.html"
    return out


def without_times(path):
    """Results but for what the methods cost."""
    return {
        name: value for name, value in read_json(path / "tables" / "results.json").items() if name != "cost"
    }


def assert_same_run(a, b):
    assert_same(a, b, apart_from=TIMED)
    assert without_times(a) == without_times(b)
    for name in TIMED[:2]:
        columns = ["method", "image", "n_cells", "error"]
        assert read_parquet(a / name)[columns].equals(read_parquet(b / name)[columns])


def test_the_run_holds_all_that_was_promised(whole):
    assert read_json(whole / "run.json")["is_finished"]
    assert verify(whole / "synthetic").n_samples == 2
    assert verify(whole / "tuning").n_samples == 1
    scores = read_parquet(whole / "tables" / "scores.parquet")
    assert set(scores["method"]) == {"otsu", "otsu (default)", "voronoi_otsu", "voronoi_otsu (default)"}
    assert set(scores["origin"]) == {"synthetic", "real"}
    assert scores["image"].nunique() == 4
    results = read_json(whole / "tables" / "results.json")
    assert -1 <= results["agreement"]["tau"] <= 1
    assert {row["method"] for row in results["rankings"]["synthetic"]["rows"]} == {"otsu", "voronoi_otsu"}
    page = (whole / "report.html").read_text()
    assert "dsb_tile1" in page


def test_tuning_and_scored_images_differ(whole):
    tuning, scored = (files_in(whole / name / "images").values() for name in ("tuning", "synthetic"))
    assert not set(tuning) & set(scored)


@pytest.mark.slow
def test_two_workers_give_the_result_of_one(real, whole, tmp_path):
    benchmark(real / "images", tmp_path / "two", reference=real / "labels", workers=2, quiet=True, **SMALL)
    assert_same_run(tmp_path / "two", whole)


@pytest.mark.parametrize(
    "kept",
    [
        ["run.json"],
        ["run.json", "recipe.yaml", "calibration", "tuning"],
        ["run.json", "recipe.yaml", "calibration", "tuning", "synthetic", "tables/methods.json"],
    ],
    ids=["begun", "calibrated", "tuned"],
)
@pytest.mark.slow
def test_a_run_that_stopped_anywhere_is_completed_to_the_same_result(real, whole, tmp_path, kept):
    out = tmp_path / "out"
    for name in kept:
        source = whole / name
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if source.is_dir() else shutil.copy)(source, out / name)
    record = json.loads((out / "run.json").read_text())
    (out / "run.json").write_text(json.dumps({**record, "is_finished": False}))
    benchmark(real / "images", out, reference=real / "labels", workers=1, resume=True, quiet=True, **SMALL)
    assert_same_run(out, whole)


def test_a_complete_run_is_left_as_it_is(real, whole, capsys):
    before = files_in(whole)
    command = ["benchmark", str(real / "images"), str(whole), "--reference", str(real / "labels"), *OPTIONS]
    assert main(command) == 4
    assert "pass --resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0
    assert main([*command, "--resume", "--seed=3"]) == 2
    assert "seed (0 then, 3 now)" in capsys.readouterr().err
    assert main(["report", str(whole), "--quiet"]) == 0
    after = files_in(whole)
    assert {name for name in before if before[name] != after[name]} <= {"report.html"}


def test_the_report_of_something_else_is_refused(tmp_path, capsys):
    assert main(["report", str(tmp_path)]) == 3
    assert str(tmp_path) in capsys.readouterr().err


CRASHES = '''
from typing import Literal
from ..core.grid import Grid
from .base import AbstractSegmenter, SegmentFn, registry


@registry.register
class Crashes(AbstractSegmenter):
    """Fails on every image."""

    kind: Literal["crashes"] = "crashes"

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        return crash


def crash(image):
    raise RuntimeError("no such layer: conv_7")
'''


@pytest.fixture
def crashing(tmp_path):
    """A segmenter that crashes, put into the folder of segmenters as a plug-in would be."""
    import sys

    import cellsynth.segment
    from cellsynth.segment.base import registry

    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "crashes.py").write_text(CRASHES)
    cellsynth.segment.__path__.append(str(folder))
    yield "crashes"
    cellsynth.segment.__path__.remove(str(folder))
    sys.modules.pop("cellsynth.segment.crashes", None)
    registry._classes.pop("crashes", None)


def test_a_method_that_crashes_is_scored_worst_and_shown(real, tmp_path, crashing):
    out = tmp_path / "out"
    methods = {**SMALL, "methods": f"otsu,{crashing}"}
    page = benchmark(real / "images", out, reference=real / "labels", workers=1, quiet=True, **methods)
    rows = read_json(out / "tables" / "results.json")["rankings"]["synthetic"]["rows"]
    assert [row["method"] for row in rows] == ["otsu", "crashes"]
    cost = {row["method"]: row for row in read_json(out / "tables" / "results.json")["cost"]}
    assert cost["crashes"]["n_failed"] == 4
    assert "no such layer: conv_7" in cost["crashes"]["first_error"]
    assert "conv_7" in page.read_text()


def test_a_method_that_crashes_is_an_error_of_segment(real, tmp_path, crashing, capsys):
    code = main(
        ["segment", str(real / "images"), str(tmp_path / "out"), f"--method={crashing}", "--workers=1"]
    )
    assert code == 3
    error = capsys.readouterr().err
    assert "crashes failed on 2 of 2 images, first on dsb_tile1: RuntimeError: no such layer: conv_7" in error


def test_one_image_is_enough_and_the_recipe_says_so(real, tmp_path):
    one = real / "images" / "dsb_tile1.tif"
    calibration = calibrate_images(one, tmp_path / "recipe.yaml", ["n_samples=1"], workers=1, quiet=True)
    assert any("one image" in note for note in calibration.notes)
    made = synthesize(tmp_path / "recipe.yaml", tmp_path / "out", workers=1, quiet=True)
    assert made.load(0).labels.max() > 3


@pytest.mark.parametrize("size", [9, 24, 48])
def test_an_image_too_small_to_calibrate_on_is_refused_and_can_be_segmented(real, tmp_path, size, capsys):
    pixels = tifffile.imread(real / "images" / "dsb_tile1.tif")[:size, :size]
    (tmp_path / "images").mkdir()
    tifffile.imwrite(tmp_path / "images" / "tiny.tif", pixels)
    code = main(["calibrate", str(tmp_path / "images"), str(tmp_path / "recipe"), "--workers=1", "--quiet"])
    assert code == 3
    assert "three or more whole cells" in capsys.readouterr().err
    assert not (tmp_path / "recipe").exists()
    # A method that was told the size needs no calibration.
    options = ["--method=otsu", "--diameter=20", "--polarity=bright", "--workers=1", "--quiet"]
    assert main(["segment", str(tmp_path / "images"), str(tmp_path / "labels"), *options]) == 0


def test_python_and_the_command_line_give_the_same(real, tmp_path, capsys):
    images, labels = real / "images", real / "labels"
    segment_images(
        images, tmp_path / "python", ["smoothing=0.1"], method="otsu", diameter=20, workers=1, quiet=True
    )
    code = main(
        f"segment {images} {tmp_path / 'command'} smoothing=0.1 --method=otsu --diameter=20 --workers=1 --quiet".split()
    )
    assert code == 0
    assert_same(tmp_path / "python", tmp_path / "command", apart_from=("segmentation.json",))
    for path in (tmp_path / "python").glob("*.json"):
        path.unlink()
    evaluate_labels(tmp_path / "python", labels, out=tmp_path / "scores_python", quiet=True)
    command = ["evaluate", str(tmp_path / "python"), str(labels), "--out", str(tmp_path / "scores_command")]
    assert main([*command, "--quiet"]) == 0
    assert_same(tmp_path / "scores_python", tmp_path / "scores_command")
    calibrate_images(images, tmp_path / "a" / "recipe.yaml", polarity="bright", workers=1, quiet=True)
    command = [
        "calibrate",
        str(images),
        str(tmp_path / "b" / "recipe.yaml"),
        "--polarity=bright",
        "--workers=1",
    ]
    assert main([*command, "--quiet"]) == 0
    assert_same(tmp_path / "a", tmp_path / "b")


def test_a_tuned_method_is_taken_from_a_benchmark(real, whole, tmp_path):
    out = segment_images(real / "images", tmp_path / "out", method="otsu", tuned=whole, workers=1, quiet=True)
    config = read_json(out / "run.json")["settings"]["config"]
    tuned = next(m for m in read_json(whole / "tables" / "methods.json")["methods"] if m["kind"] == "otsu")
    assert config == tuned["config"]


def test_write_report_gives_the_page_again(whole, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    (copy / "report.html").unlink()
    assert write_report(copy, quiet=True) == copy / "report.html"
    assert (copy / "report.html").stat().st_size > 10_000
