"""Kills, Ctrl-C and full disks: one clear line, nothing half-written, and the same bytes after --resume."""

import os
import resource
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
import tifffile

from cellsynth.cli import main
from cellsynth.demo_data import demo_images
from cellsynth.io.formats import read_pixels
from tests.workflows.commands import COMMAND, ENVIRONMENT, assert_one_error, assert_same, cellsynth, files_in

RECIPE = ("nuclei_2d", "grid.shape_px=[256, 256]", "n_samples=24")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    out = tmp_path_factory.mktemp("reference") / "out"
    done = cellsynth("synthesize", RECIPE[0], out, *RECIPE[1:], "--workers=1", "--quiet")
    assert done.returncode == 0, done.stderr
    return out


def start(out, n_workers, n_images):
    """Begin a run in a process group of its own, and come back when it has written `n_images` images."""
    arguments = ["synthesize", RECIPE[0], str(out), *RECIPE[1:], f"--workers={n_workers}"]
    # A signal between the opening of a file and its `with` leaves it to Python to close, which says so.
    quiet = {**ENVIRONMENT, "PYTHONWARNINGS": "default,ignore:unclosed file:ResourceWarning"}
    process = subprocess.Popen(
        [*COMMAND, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True, env=quiet
    )
    deadline = time.monotonic() + 60
    while len(list(out.glob("images/*.tif"))) < n_images and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return process


def resume(out, n_workers=1):
    return cellsynth(
        "synthesize", RECIPE[0], out, *RECIPE[1:], f"--workers={n_workers}", "--quiet", "--resume"
    )


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("n_workers", "n_images"),
    [(2, 13), *(pytest.param(*case, marks=slow) for case in ((1, 0), (1, 5), (2, 1), (1, 23)))],
)
def test_a_run_that_was_killed_is_completed_to_the_same_bytes(tmp_path, uninterrupted, n_workers, n_images):
    process = start(tmp_path / "out", n_workers, n_images)
    process.kill()
    process.communicate()
    done = resume(tmp_path / "out", n_workers)
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path / "out", uninterrupted)


@pytest.mark.parametrize("n_workers", [pytest.param(1, marks=slow), 2])
def test_ctrl_c_is_one_line_and_leaves_only_whole_files(tmp_path, uninterrupted, n_workers):
    out = tmp_path / "out"
    process = start(out, n_workers, 4)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    lines = [line for line in said.splitlines() if line and not line.startswith("synthesize: ")]
    assert lines == ["interrupted; what was finished is valid, and --resume continues it"]
    left = files_in(out)
    assert not [name for name in left if ".cellsynth-" in name]
    whole = files_in(uninterrupted)
    assert all(data == whole[name] for name, data in left.items() if name.endswith(".tif"))
    assert 8 <= sum(name.endswith(".tif") for name in left) < 48
    assert resume(out).returncode == 0
    assert_same(out, uninterrupted)


@pytest.mark.parametrize("n_workers", [pytest.param(1, marks=slow), 2])
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_sigterm_ends_a_run_as_ctrl_c_does(tmp_path, uninterrupted, send, n_workers):
    out = tmp_path / "out"
    process = start(out, n_workers, 4)
    send(process.pid, signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 143
    lines = [line for line in said.splitlines() if line and not line.startswith("synthesize: ")]
    assert lines == ["terminated; what was finished is valid, and --resume continues it"]
    assert not [name for name in files_in(out) if ".cellsynth-" in name] or send is os.killpg
    assert resume(out).returncode == 0
    assert_same(out, uninterrupted)


def test_a_run_that_was_not_asked_to_go_on_or_has_another_recipe_is_refused(tmp_path, uninterrupted):
    out = tmp_path / "out"
    process = start(out, 1, 2)
    process.kill()
    process.communicate()
    before = files_in(out)
    again = cellsynth("synthesize", RECIPE[0], out, *RECIPE[1:], "--workers=1")
    assert_one_error(again, 4, "--resume")
    other = cellsynth("synthesize", RECIPE[0], out, *RECIPE[1:], "seed=5", "--workers=1", "--resume")
    assert_one_error(other, 2, "recipe.seed")
    assert files_in(out) == before


def with_file_limit(n_bytes, *arguments):
    """Run with files of at most `n_bytes`: writing more fails as on a full disk."""
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": os.devnull + "/none"},
        preexec_fn=partial(resource.setrlimit, resource.RLIMIT_FSIZE, (n_bytes, resource.RLIM_INFINITY)),
        timeout=120,
    )


@pytest.mark.parametrize("n_workers", [1, pytest.param(2, marks=slow)])
def test_a_disk_that_fills_up_is_one_line_and_leaves_only_whole_files(tmp_path, uninterrupted, n_workers):
    out = tmp_path / "out"
    done = with_file_limit(
        20_000, "synthesize", RECIPE[0], out, *RECIPE[1:], f"--workers={n_workers}", "--quiet"
    )
    assert_one_error(done, 4, ".tif: could not be written", "Files that were finished before are valid")
    left = files_in(out)
    assert not [name for name in left if ".cellsynth-" in name]
    whole = files_in(uninterrupted)
    assert all(data == whole[name] for name, data in left.items() if name.endswith(".tif"))
    assert resume(out).returncode == 0
    assert_same(out, uninterrupted)


@pytest.fixture
def images(tmp_path, key):
    """Three images of bright squares in noise."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i in range(3):
        pixels = key.child(i).generator().integers(90, 110, (121, 143)).astype(np.uint8)
        for y, x in ((10, 12), (40, 70), (80, 30), (90, 110)):
            pixels[y : y + 15, x : x + 13] += 100
        tifffile.imwrite(folder / f"{i}.tif", pixels)
    return folder


def test_an_interrupted_segmentation_is_completed_to_the_same_labels(tmp_path, images):
    whole, out = tmp_path / "whole", tmp_path / "out"
    arguments = ("--method=otsu", "--workers=1", "--quiet")
    for folder in (whole, out):
        assert cellsynth("segment", images, folder, *arguments).returncode == 0
    # What a kill after the first image leaves.
    (out / "run.json").write_bytes((out / "run.json").read_bytes().replace(b"true", b"false"))
    for name in ("1.tif", "2.tif", "segmentation.json", "files.json"):
        (out / name).unlink()
    first = (out / "0.tif").stat().st_mtime_ns
    assert cellsynth("segment", images, out, *arguments, "--resume").returncode == 0
    assert (out / "0.tif").stat().st_mtime_ns == first
    assert_same(out, whole, apart_from=("segmentation.json", "files.json"))  # holds timings
    done = cellsynth("segment", images, out, "--method=otsu", "--workers=1", "--resume")
    assert "is complete; nothing to do" in done.stderr
    assert_one_error(
        cellsynth("segment", images, out, "--method=mser", "--workers=1", "--resume"), 2, "config"
    )


def test_a_segmentation_on_a_full_disk_is_one_line(tmp_path, images):
    done = with_file_limit(
        400, "segment", images, tmp_path / "out", "--method=otsu", "--workers=1", "--quiet"
    )
    assert_one_error(done, 4, "could not be written")


def test_a_worker_that_is_killed_is_one_line_with_a_way_out(tmp_path):
    out = tmp_path / "out"
    process = start(out, 2, 3)
    children = [
        int(pid)
        for pid in os.listdir("/proc")
        if pid.isdigit() and _parent_of(pid) == process.pid and _is_worker(pid)
    ]
    os.kill(children[0], signal.SIGKILL)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 5
    assert "Traceback" not in said
    assert "a worker process was ended by SIGKILL" in said
    assert resume(out).returncode == 0


def _parent_of(pid: str) -> int:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _is_worker(pid: str) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"spawn_main" in file.read()
    except OSError:
        return False


@pytest.mark.parametrize("stage", ["fit_recipe", "write_calibration", "_draw"])
def test_a_calibration_that_is_interrupted_leaves_nothing_and_can_be_repeated(
    tmp_path, monkeypatch, capsys, stage
):
    import cellsynth.pipeline.calibrate as calibrate

    real, recipe = getattr(calibrate, stage), tmp_path / "recipe.yaml"
    images = tmp_path / "images"
    images.mkdir()
    for path in demo_images()[:2]:
        tifffile.imwrite(images / f"{path.stem}.tif", read_pixels(path)[:144, :160])
    before = files_in(tmp_path)

    def stop(*arguments, **options):
        real(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(calibrate, stage, stop)
        assert main(["calibrate", str(images), str(recipe), "--workers=1", "--quiet"]) == 130
    assert "interrupted; nothing was written" in capsys.readouterr().err
    assert files_in(tmp_path) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".cellsynth")]
    assert main(["calibrate", str(images), str(recipe), "--workers=1", "--quiet"]) == 0
    assert recipe.is_file()
    assert (tmp_path / "recipe" / "statistics.png").is_file()
