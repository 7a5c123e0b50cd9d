"""The main job on two small real images: whole, continued, with other numbers of workers, and with a bad method."""

import json
import os
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
    "files.json",
)
"""What holds seconds and megabytes, and the checksums of that."""


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


PLUGIN = '''
import os, signal
from typing import Literal
from ..core.grid import Grid
from .base import AbstractSegmenter, SegmentFn, registry


@registry.register
class {name}(AbstractSegmenter):
    """Fails in its own way."""

    kind: Literal["{kind}"] = "{kind}"

    def build(self, grid: Grid, device: str = "cpu") -> SegmentFn:
        return fail


def fail(image):
    {how}
    return (image[0] > image[0].mean()).astype("int32")
'''

PLUGINS = {
    "crashes": "raise RuntimeError('no such layer: conv_7')",
    "dies": "os.kill(os.getpid(), signal.SIGSEGV)",
    "dies_sometimes": "image[0].mean() > float(os.environ['DIES_ABOVE']) and os._exit(9)",
}


@pytest.fixture
def plugins(tmp_path, monkeypatch):
    """Segmenters that fail, put into the folder of segmenters as a plug-in would be, for workers too."""
    import sys

    import cellsynth.segment
    from cellsynth.segment.base import registry

    folder = tmp_path / "plugins"
    folder.mkdir()
    for kind, how in PLUGINS.items():
        name = kind.title().replace("_", "")
        code = PLUGIN.format(name=name, kind=kind, how=how)
        (folder / f"{kind}.py").write_text(code)
    (folder / "sitecustomize.py").write_text(
        f"import cellsynth.segment\ncellsynth.segment.__path__.append({str(folder)!r})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
    cellsynth.segment.__path__.append(str(folder))
    yield folder
    cellsynth.segment.__path__.remove(str(folder))
    for kind in PLUGINS:
        sys.modules.pop(f"cellsynth.segment.{kind}", None)
        registry._classes.pop(kind, None)


def mean_level(folder):
    """Grey level between those of the images, which are of 8 bits: some are brighter, some darker."""
    return str(np.mean([read_pixels(path).mean() / 255 for path in folder.iterdir()]))


@pytest.mark.parametrize("n_workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_methods_that_crash_are_scored_worst_and_shown(
    real, whole, tmp_path, plugins, monkeypatch, n_workers
):
    import cellsynth.pipeline.benchmark.response as response

    monkeypatch.setattr(response, "N_IMAGES", 1)  # processes that die take their time
    monkeypatch.setenv("DIES_ABOVE", mean_level(whole / "synthetic" / "images"))
    out = tmp_path / "out"
    methods = {**SMALL, "methods": "otsu,crashes,dies,dies_sometimes"}
    page = benchmark(
        real / "images", out, reference=real / "labels", workers=n_workers, quiet=True, **methods
    )
    results = read_json(out / "tables" / "results.json")
    rows = {row["method"]: row for row in results["rankings"]["synthetic"]["rows"]}
    assert rows["otsu"]["rank"] == 1
    assert {m: row["n_failed"] for m, row in rows.items()} == {
        "otsu": 0,
        "crashes": 2,
        "dies": 2,
        "dies_sometimes": 1,
    }
    assert rows["dies"]["score"] == 0
    errors = {row["method"]: row["first_error"] for row in results["cost"]}
    assert "no such layer: conv_7" in errors["crashes"]
    assert errors["dies"] == "crashed: its process was ended by SIGSEGV"
    assert errors["dies_sometimes"] == "crashed: its process ended with exit code 9"
    tuned = {m["kind"]: m for m in read_json(out / "tables" / "methods.json")["methods"]}
    assert tuned["dies"]["tuning_score"] is None  # minus infinity, as of any method that crashes
    curves = read_parquet(out / "tables" / "response.parquet")
    assert set(curves["method"]) == set(rows)
    assert (curves.loc[curves["method"] == "dies", "mean"] == 0).all()
    assert (curves.loc[curves["method"] == "otsu", "mean"] > 0).any()
    text = page.read_text()
    assert "conv_7" in text
    assert "ended by SIGSEGV" in text


def test_a_method_that_dies_on_some_images_leaves_the_labels_of_the_others(
    real, tmp_path, plugins, monkeypatch, capsys
):
    images, out = real / "images", tmp_path / "out"
    monkeypatch.setenv("DIES_ABOVE", mean_level(images))
    options = ["--diameter=20", "--polarity=bright", "--workers=1", "--quiet"]
    assert main(["segment", str(images), str(out), "--method=dies_sometimes", *options]) == 3
    assert "crashed: its process ended with exit code 9" in capsys.readouterr().err
    failed = [o for o in read_json(out / "segmentation.json")["outcomes"] if o["error"]]
    assert len(failed) == len(list(out.glob("*.tif"))) == 1


def test_a_method_that_crashes_is_an_error_of_segment(real, tmp_path, plugins, capsys):
    code = main(["segment", str(real / "images"), str(tmp_path / "out"), "--method=crashes", "--workers=1"])
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
    assert_same(tmp_path / "python", tmp_path / "command", apart_from=("segmentation.json", "files.json"))
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
