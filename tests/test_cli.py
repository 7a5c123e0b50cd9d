"""The command line: made from the functions, and clear about what is wrong with an argument."""

import functools
import inspect
import logging
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
import tifffile

from cellsynth.cli import COMMANDS, LISTED, _read_docstring, main
from cellsynth.demo_data import demo_images
from cellsynth.evaluate.families import FAMILIES
from cellsynth.io.png import read_png
from cellsynth.pipeline.benchmark.scores import scored_metrics
from cellsynth.pipeline.export import export_labels
from cellsynth.recipe import packaged_recipes
from cellsynth.segment.base import registry as segmenters


@pytest.fixture
def images(tmp_path, key):
    """Folder with one image of a bright square in noise."""
    folder = tmp_path / "images"
    folder.mkdir()
    pixels = key.generator().integers(90, 110, (41, 53)).astype(np.uint8)
    pixels[10:25, 12:30] += 100
    tifffile.imwrite(folder / "a.tif", pixels)
    return folder


def run(capsys, *arguments):
    """Exit code, standard output, standard error."""
    try:
        code = main([str(a) for a in arguments])
    except SystemExit as stop:
        code = stop.code
    output = capsys.readouterr()
    return code, output.out, output.err


@pytest.mark.parametrize("command", COMMANDS)
def test_help_tells_every_parameter_of_the_function(capsys, command):
    module, name = COMMANDS[command]
    function = getattr(import_module(f"cellsynth.pipeline.{module}"), name)
    code, text, _ = run(capsys, command, "--help")
    assert code == 0
    words = " ".join(text.split())
    assert inspect.getdoc(function).splitlines()[0] in words
    for parameter in inspect.signature(function).parameters.values():
        shown = {"overrides": "key=value"}.get(
            parameter.name,
            f"--{parameter.name.replace('_', '-')}"
            if parameter.kind is parameter.KEYWORD_ONLY
            else parameter.name.upper(),
        )
        after = text[text.index("arguments:") :].partition(f"\n  {shown}")[2]
        assert len(after.split("\n  -")[0].split()) > 3, f"{shown} has no help"
    assert "exit codes:" in text


@pytest.mark.parametrize("option", ["channel", "voxel_um", "polarity", "seed", "workers"])
def test_an_option_of_several_commands_is_explained_in_the_same_words(option):
    functions = [getattr(import_module(f"cellsynth.pipeline.{m}"), name) for m, name in COMMANDS.values()]
    said: dict[str, set[str]] = {}  # by type: the pixel size of `evaluate` may differ between axes
    for function in functions:
        parameter = inspect.signature(function).parameters.get(option)
        if parameter is not None:
            said.setdefault(str(parameter.annotation), set()).add(_read_docstring(function)[2][option])
    assert all(len(texts) == 1 for texts in said.values())
    assert sum(len(texts) for texts in said.values()) <= 2


def test_help_of_the_program_lists_every_command(capsys):
    code, text, _ = run(capsys, "--help")
    assert code == 0
    for command in COMMANDS:
        assert re.search(rf"^ +{command}\s+[A-Z]", text, re.MULTILINE)


def test_names_in_the_help_are_those_of_the_registry():
    assert LISTED["segment", "method"]() == LISTED["benchmark", "methods"]() == segmenters.names()
    assert LISTED["synthesize", "recipe"]() == sorted(packaged_recipes())


def test_metrics_are_listed_and_explained(capsys):
    assert set(LISTED["metrics", "name"]()) == {k for family in FAMILIES.values() for k in family.names()}
    code, text, _ = run(capsys, "metrics")
    assert code == 0
    said = [line.split()[0] for line in text.splitlines() if line.startswith("  ")]
    assert said == [kind for family in FAMILIES.values() for kind in family.names()]
    code, text, _ = run(capsys, "metrics", "hausdorff95")
    assert code == 0
    assert "range       0 to inf um, lower is better" in text
    assert "Huttenlocher" in text
    code, _, error = run(capsys, "metrics", "hausdorf")
    assert code == 2
    assert "did you mean 'hausdorff95'?" in error


def test_version(capsys):
    assert run(capsys, "--version")[:2] == (0, "cellsynth 0.1.0\n")


RECIPE = ("synthesize", "nuclei_2d", "OUT", "n_samples=1", "grid.shape_px=[31, 47]", "--workers=1", "--quiet")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("labels.irregularty=0.1", "unknown key 'irregularty'; did you mean 'irregularity'?"),
        ("n_sample=3", "unknown key 'n_sample'; did you mean 'n_samples'?"),
        ("n_samples=0", "n_samples: Input should be greater than 0, saw 0"),
        ("n_samples=-1", "n_samples: Input should be greater than 0, saw -1"),
        (
            "seed=abc",
            "seed: Input should be a valid integer, unable to parse string as an integer, saw 'abc'",
        ),
        ("seed=[1", "override seed, line 1: "),
        ("labels.radius_um=[7, 4]", "low 7.0 is above high 4.0"),
        ("labels.kind=ellipsoid", "no label generator is called 'ellipsoid'; did you mean 'ellipsoids'?"),
        ("render.camera.bit_depth=32", "less than or equal to 16, saw 32"),
        (
            "labels={kind: ellipsoids, n_cells: 9, density_per_mm2: 5}",
            "give either n_cells or density_per_mm2",
        ),
        ("labels.radius_um.median.x=3", "is a single value and has no parts"),
        ("labels={kind: ellipsoids, placement: adgan, radius_um: 5}", "needs radius_um: [smallest, largest]"),
        ("grid={shape_px: [5, 31, 47], voxel_um: [1, 1, 1]}", "2D"),
        ("grid.shape_px=[900000, 900000]", "GB of memory, and"),
        ("labels={kind: ellipsoids, n_cells: null, density_per_mm2: 1e+8}", "is 1e+08, which is "),
        ("labels={kind: ellipsoids, n_cells: 1000000000}", "times, and up to 20 times is tried"),
        ("labels={kind: ellipsoids, n_cells: 9999, radius_um: 0.01}", "Give fewer or smaller cells"),
        ("name=a/b", "letters, digits, - and _ only"),
        ("seed=1\nx: 2", "must stand in one line"),
    ],
)
def test_a_bad_override_is_named_and_nothing_is_written(capsys, tmp_path, change, said):
    arguments = [str(tmp_path / "out") if a == "OUT" else a for a in RECIPE]
    code, _, error = run(capsys, *arguments, change)
    assert code == 2
    assert error.startswith("error: ")
    assert said in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("nuclei_3d", None, "no recipe of that name in the package; did you mean 'nuclei_2d'?"),
        ("recipe.yaml", None, "there is no such file"),
        ("recipe.yaml", b"name: [", "recipe.yaml, line 1"),
        ("recipe.yaml", b"- 1\n- 2\n", "holds a list"),
        ("recipe.yaml", b"", "holds nothing"),
        ("recipe.yaml", b"\x89PNG\r\n\x1a\n\x00\x00", "no valid YAML"),
        (
            "recipe.yaml",
            b"n_sampels: 3\nlabels: {kind: ellipsoids, n_cels: 2}\n",
            "did you mean 'n_samples'?",
        ),
        ("", None, "is a folder; give a YAML file"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_an_error_of_the_command(capsys, tmp_path, name, content, said):
    path = tmp_path / name if "." in name or not name else name
    if content is not None:
        path.write_bytes(content)
    code, _, error = run(capsys, "synthesize", path, tmp_path / "out", "--workers=1")
    assert code == 2
    assert said in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("n_workers", ["0", "-3"])
def test_a_number_of_workers_that_is_not_positive_is_refused(capsys, tmp_path, n_workers):
    code, _, error = run(capsys, "synthesize", "nuclei_2d", tmp_path / "out", f"--workers={n_workers}")
    assert (code, error.count("\n")) == (2, 1)
    assert f"--workers is {n_workers}; at least 1 is needed" in error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--metod", "otsu"], "did you mean --method?"),
        (["--ovrlap=3"], "not understood: --ovrlap=3; see"),
        (["--work", "2"], "not understood: --work"),
        (["--workers", "two"], "invalid int value: 'two'"),
        (["--polarity", "green"], "choose from 'bright', 'dark'"),
        (["--method", "h_maxma"], "no segmenter is called 'h_maxma'; did you mean 'h_maxima'?"),
        (["smothing=1"], "did you mean 'smoothing'?"),
        (["kind=otsu"], "Input should be 'h_maxima', saw 'otsu'"),
        (["--diameter=-3"], "greater than 0, saw -3.0"),
        (["--diameter=nan"], "finite"),
        (["--voxel-um=-1"], "error: --voxel-um is -1; give a positive number"),
        (["--voxel-um=nan"], "error: --voxel-um is nan; give"),
    ],
)
def test_a_bad_argument_of_segment_is_named(capsys, images, tmp_path, arguments, said):
    code, _, error = run(capsys, "segment", images, tmp_path / "out", "--workers=1", "--quiet", *arguments)
    assert code == 2
    assert said in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["labels.n_cell=3"], "did you mean 'n_cells'?"),
        (["--methods", "otsu,cellpos"], "did you mean 'cellpose'?"),
        (["--methods", ","], "give names separated by commas: "),
        (["--metric", "f1[iou=0.51]"], "did you mean "),
        (["--n-images", "1"], "--n-images is 1; at least 2"),
        (["--n-tuning", "0"], "--n-tuning is 0; at least 1"),
        (["--budget", "0"], "--budget is 0; at least 1"),
        (["--seed", "-1"], "--seed is -1; at least 0"),
    ],
)
def test_a_bad_argument_of_benchmark_is_named_before_any_work(capsys, images, tmp_path, arguments, said):
    code, _, error = run(capsys, "benchmark", images, tmp_path / "out", "--workers=1", *arguments)
    assert (code, error.count("\n")) == (2, 1)
    assert said in error
    assert not (tmp_path / "out").exists()


def test_images_are_not_their_own_reference(capsys, images, tmp_path):
    code, _, error = run(capsys, "benchmark", images, tmp_path / "out", "--reference", images)
    assert (code, error.count("\n")) == (3, 1)
    assert "give the folder of their labels" in error


def test_overrides_stand_before_and_behind_options(capsys, tmp_path):
    out = tmp_path / "out"
    code, printed, _ = run(
        capsys,
        "synthesize",
        "nuclei_2d",
        out,
        "n_samples=2",
        "--quiet",
        "--workers=1",
        "grid.shape_px=[31, 47]",
    )
    assert code == 0
    assert len(list((out / "images").iterdir())) == 2
    assert printed == ""


def test_a_path_may_have_spaces_and_any_letters(capsys, images, tmp_path):
    odd = images.rename(tmp_path / "Bilder für ß 細胞")
    (odd / "a.tif").rename(odd / "erstes Bild %d {0}.tif")
    out = tmp_path / "Ergebnis für ß"
    code, printed, error = run(capsys, "segment", odd, out, "--method=otsu", "--workers=1", "--quiet")
    assert (code, error) == (0, "")
    assert printed == f"{out}\n"
    assert (out / "erstes Bild %d {0}.tif").is_file()


@pytest.mark.parametrize("command", ["segment", "benchmark"])
def test_an_output_folder_with_other_data_is_left_alone(capsys, images, tmp_path, command):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.docx").write_text("precious")
    for target in (out, images, images / "a.tif"):
        before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
        code, _, error = run(capsys, command, images, target, "--workers=1", "--quiet", "--resume")
        assert code == 4
        assert "nothing is overwritten" in error
        assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_evaluate_prints_a_summary_of_every_metric(capsys, tmp_path):
    labels = np.zeros((31, 47), np.uint16)
    labels[3:9, 4:12], labels[15:22, 20:33] = 1, 2
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        tifffile.imwrite(tmp_path / name / "x.tif", labels)
    code, printed, _ = run(capsys, "evaluate", tmp_path / "a", tmp_path / "b", "--quiet")
    assert (code, printed) == (0, "")
    code, printed, _ = run(capsys, "evaluate", tmp_path / "a", tmp_path / "b")
    assert code == 0
    for metric in scored_metrics():
        assert f"{metric.name} " in printed


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda x: x[:-3], "labels are (28, 47) and the reference"),
        (lambda x: x.astype(np.float32) + 0.5, "are fractions"),
        (lambda x: x.astype(np.int16) - 1, "are negative, down to -1"),
    ],
)
def test_evaluate_names_the_file_that_does_not_fit(capsys, tmp_path, change, said):
    labels = np.zeros((31, 47), np.uint16)
    labels[3:9, 4:12], labels[15:22, 20:33] = 1, 2
    tifffile.imwrite(tmp_path / "prediction.tif", change(labels))
    tifffile.imwrite(tmp_path / "prediction_labels.tif", labels)
    code, _, error = run(capsys, "evaluate", tmp_path / "prediction.tif", tmp_path / "prediction_labels.tif")
    assert code == 3
    assert error.startswith("error: ")
    assert "prediction.tif" in error
    assert said in error


def test_a_mask_is_no_reference(capsys, tmp_path):
    labels = np.zeros((31, 47), np.uint8)
    labels[3:9, 4:12], labels[15:22, 20:33] = 255, 255
    tifffile.imwrite(tmp_path / "x.tif", labels)
    code, _, error = run(capsys, "evaluate", tmp_path / "x.tif", tmp_path / "x.tif")
    assert code == 3
    assert "this is a mask" in error


def test_a_warning_is_said_once(capsys, monkeypatch, tmp_path):
    def warn_twice(labels, out, **_):
        """Warn of the same thing in two stages."""
        for _stage in range(2):
            logging.getLogger("cellsynth.stage").warning("%s: odd", labels)

    monkeypatch.setattr("cellsynth.pipeline.export.export_labels", functools.wraps(export_labels)(warn_twice))
    code, _, error = run(capsys, "export", "x", tmp_path, "--quiet")
    assert code == 0
    assert error == "warning: x: odd\n"


def test_memory_that_runs_out_is_an_error_in_words(capsys, tmp_path, monkeypatch):
    def run_out(*_, **__):
        raise MemoryError("Unable to allocate 7.28 TiB")

    monkeypatch.setattr("cellsynth.pipeline.synthesize.make_dataset", run_out)
    code, _, error = run(capsys, "synthesize", "nuclei_2d", tmp_path / "out", "--workers=1")
    assert code == 5
    assert "memory ran out (Unable to allocate 7.28 TiB)" in error
    assert "Traceback" not in error


def test_calibrate_refuses_to_replace_and_to_lose_work(capsys, images, tmp_path):
    (tmp_path / "old.yaml").write_text("mine")
    for recipe in ("old.yaml", "old", "images"):
        code, _, error = run(capsys, "calibrate", images, tmp_path / recipe, "--workers=1")
        assert code == 4
        assert "nothing is overwritten" in error
    code, _, error = run(capsys, "calibrate", images, tmp_path / "new.yaml", "render.photon=3", "--workers=1")
    assert code == 2
    assert "did you mean 'photons'?" in error
    code, _, error = run(capsys, "calibrate", images, images / "a.tif" / "new.yaml", "--workers=1")
    assert code == 4
    code, _, error = run(capsys, "calibrate", images, tmp_path / "new.yaml", "--n-samples=0", "--workers=1")
    assert code == 2
    assert "n_samples: Input should be greater than 0, saw 0" in error
    assert (tmp_path / "old.yaml").read_text() == "mine"
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("is_there", [False, True])
def test_input_that_is_refused_leaves_no_folder_in_the_way(capsys, images, tmp_path, is_there):
    out = tmp_path / "out"
    if is_there:
        out.mkdir()
    for _ in range(2):
        code, _, error = run(capsys, "benchmark", images, out, "--methods=otsu", "--workers=1", "--quiet")
        assert code == 3
        assert "three or more whole cells" in error
        assert out.exists() == is_there
        assert not is_there or not any(out.iterdir())


def test_labels_given_as_images_are_told(capsys, images, tmp_path):
    (tmp_path / "masks").mkdir()
    labels = np.zeros((41, 53), np.uint8)
    labels[3:9, 4:12], labels[15:22, 20:33], labels[22:30, 20:33] = 1, 2, 3
    tifffile.imwrite(tmp_path / "masks" / "labels.tif", labels)
    tifffile.imwrite(tmp_path / "masks" / "mask.tif", 255 * (labels > 0).astype(np.uint8))
    for folder, n_said in ((tmp_path / "masks", 1), (images, 0)):
        out = tmp_path / f"out_{folder.name}"
        code, _, error = run(capsys, "segment", folder, out, "--method=otsu", "--workers=1", "--quiet")
        assert code == 0
        assert error.count("look like label images") == n_said


@pytest.mark.parametrize(("channel", "code"), [("DPAI", 3), ("5", 3), ("red", 3), ("0", 0), ("mean", 0)])
def test_a_channel_that_no_grey_image_has_is_refused(capsys, images, tmp_path, channel, code):
    out = tmp_path / "out"
    found, _, error = run(
        capsys, "segment", images, out, f"--channel={channel}", "--method=otsu", "--workers=1", "--quiet"
    )
    assert found == code
    assert ("has no channel" in error) == bool(code)
    assert out.exists() != bool(code)


def test_commands_say_where_their_result_is(capsys, tmp_path):
    small = ["n_samples=1", "grid.shape_px=[131, 147]", "--workers=1"]
    code, _, said = run(capsys, "synthesize", "nuclei_2d", tmp_path / "cells", *small)
    assert code == 0
    assert said.endswith(f"dataset: {tmp_path / 'cells'}\n")
    labels = tmp_path / "cells" / "labels"
    for more, told in ((["--quiet"], ""), ([], f"tables: {tmp_path / 'scores'}\n")):
        arguments = [labels, labels, "--metrics=dice", "--out", tmp_path / "scores", *more]
        code, _, said = run(capsys, "evaluate", *arguments)
        assert code == 0
        assert said.endswith(told)
        assert bool(said) == bool(told)
        shutil.rmtree(tmp_path / "scores")


def test_calibrate_says_what_to_know_of_the_recipe(capsys, tmp_path):
    picture = next(path for path in demo_images() if path.stem == "dsb_tile1")
    tifffile.imwrite(tmp_path / "a.tif", read_png(picture)[:128, :144])
    code, _, said = run(capsys, "calibrate", tmp_path / "a.tif", tmp_path / "mine.yaml", "--workers=1")
    assert code == 0
    assert "note: There is one image" in said
    assert "note: No file says its pixel size" in said
    assert said.endswith(
        f"recipe: {tmp_path / 'mine.yaml'}, with parameters and pictures in {tmp_path / 'mine'}\n"
    )


def test_output_that_nobody_reads_to_its_end_is_no_fault():
    run_metrics = "import sys; from cellsynth.cli import main; sys.exit(main(['metrics']))"
    reader, writer = os.pipe()
    os.close(reader)  # like `| head`, once it has what it wants
    try:
        done = subprocess.run(
            [sys.executable, "-c", run_metrics],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)
    assert done.returncode == 0
    assert done.stderr == b""
