"""A dataset folder is written sample by sample, survives interruption, and is read without trust."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cellsynth.core.errors import InputError, OutputExistsError, RecipeError, StorageError
from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.core.sample import Sample
from cellsynth.core.scene import Objects
from cellsynth.data.dataset import DatasetWriter, open_dataset, read_objects, verify, write_sample
from cellsynth.data.manifest import check_sample_name, read_manifest
from cellsynth.data.source import read_any
from cellsynth.data.split import split_of
from cellsynth.io.png import write_png

RECIPE: dict[str, Any] = {"name": "test", "seed": 3, "labels": {"kind": "discs", "radius_um": (4.0, 7.0)}}
NAMES = [f"s{i}" for i in range(6)]
GRID = Grid(shape_px=(31, 47), voxel_um=(0.31, 0.3))


def make(name: str) -> Sample:
    """A sample that depends on its name alone, with some cells."""
    rng = Key.from_seed(0).child(name).generator()
    n = int(name[1:]) % 3
    labels = np.zeros(GRID.shape_px, np.int32)
    for i in range(n):
        labels[3:12, 2 + 15 * i : 12 + 15 * i] = i + 1
    counts = rng.integers(0, 4096, (1, *GRID.shape_px))
    objects = Objects(
        centre_um=rng.random((n, 2)),
        semi_axes_um=rng.random((n, 2)),
        rotation=np.tile(np.eye(2), (n, 1, 1)),
        intensity=rng.random(n),
        class_id=np.ones(n, np.int64),
        key=np.arange(n, dtype=np.uint64),
    )
    return Sample(
        name=name,
        grid=GRID,
        image=(counts / 4095).astype(np.float32),
        labels=labels,
        bit_depth=12,
        objects=objects,
        provenance={
            "split": split_of(name, {"train": 0.5, "test": 0.5}),
            "condition": "plain",
            "gain": np.float64(2),
        },
    )


def write_all(folder: Path, names: list[str] = NAMES, *, is_resume: bool = False) -> None:
    writer = DatasetWriter.open(folder, RECIPE, is_resume=is_resume, inputs={"a.png": "0" * 64})
    for name in writer.pending(names):
        write_sample(writer.folder, make(name))
    writer.finish(names)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()
    }


def test_samples_come_back_as_they_were(tmp_path: Path) -> None:
    write_all(tmp_path / "out")
    found = open_dataset(tmp_path / "out")
    assert found.names == tuple(NAMES)
    for i, name in enumerate(NAMES):
        sample, made = found.load(i), make(name)
        np.testing.assert_array_equal(sample.image, made.image)
        np.testing.assert_array_equal(sample.labels, made.labels)
        assert (sample.grid, sample.bit_depth) == (GRID, 12)
        assert sample.provenance == {**made.provenance, "gain": 2.0}
    assert set(found.split("train").names) | set(found.split("test").names) == set(NAMES)


def test_the_manifest_tells_what_made_it(tmp_path: Path) -> None:
    write_all(tmp_path / "out")
    manifest = verify(tmp_path / "out")
    assert manifest.seed == 3
    assert manifest.recipe["labels"] == {"kind": "discs", "radius_um": [4.0, 7.0]}
    assert manifest.inputs == {"a.png": "0" * 64}
    assert [s.n_objects for s in manifest.samples] == [0, 1, 2, 0, 1, 2]
    objects = read_objects(tmp_path / "out")
    assert list(objects["sample"]) == ["s1", "s2", "s2", "s4", "s5", "s5"]
    assert list(objects["label"]) == [1, 1, 2, 1, 1, 2]
    assert sorted(contents(tmp_path / "out")) == sorted(
        ["dataset.json", "recipe.yaml", "objects.parquet"]
        + [f"{part}/{name}.tif" for part in ("images", "labels") for name in NAMES]
    )


def test_equal_content_gives_equal_bytes_in_any_order_of_work(tmp_path: Path) -> None:
    write_all(tmp_path / "one")
    writer = DatasetWriter.open(tmp_path / "two", dict(reversed(RECIPE.items())), inputs={"a.png": "0" * 64})
    for name in reversed(writer.pending(NAMES)):
        write_sample(writer.folder, make(name))
    writer.finish(NAMES)
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    del one["recipe.yaml"], two["recipe.yaml"]  # keeps the order of its keys, for people
    assert one == two


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("n_channels", [1, 2])
def test_volumes_and_channels_come_back(tmp_path: Path, ndim: int, n_channels: int) -> None:
    for depth in (1, 5):
        shape = (depth, 31, 47)[-ndim:]
        rng = np.random.default_rng(0)
        image = rng.integers(0, 256, (n_channels, *shape)).astype(np.float32) / np.float32(255)
        sample = Sample(
            name="a",
            grid=Grid(shape_px=shape, voxel_um=(1.5, 0.31, 0.3)[-ndim:]),
            image=image,
            labels=np.ones(shape, np.int32),
            bit_depth=8,
        )
        out = tmp_path / f"out{depth}"
        writer = DatasetWriter.open(out, RECIPE)
        write_sample(out, sample)
        read = writer.finish(["a"]).load(0)
        np.testing.assert_array_equal(read.image, image)
        np.testing.assert_array_equal(read.labels, sample.labels)


def test_an_unlabelled_sample_and_a_constant_image_are_fine(tmp_path: Path) -> None:
    writer = DatasetWriter.open(tmp_path / "out", RECIPE)
    write_sample(tmp_path / "out", replace(make("s0"), labels=None, image=np.zeros((1, 31, 47), np.float32)))
    found = writer.finish(["s0"])
    assert not found.has_labels(0)
    assert found.load(0).labels is None
    assert read_manifest(tmp_path / "out").samples[0].n_objects is None


def test_a_folder_that_holds_anything_is_refused_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    for is_resume in (False, True):
        with pytest.raises(OutputExistsError, match=r"thesis\.txt.*new or empty"):
            DatasetWriter.open(tmp_path, RECIPE, is_resume=is_resume)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}
    with pytest.raises(OutputExistsError, match="is a file"):
        DatasetWriter.open(tmp_path / "thesis.txt", RECIPE)


def test_a_folder_of_images_is_not_taken_for_a_dataset(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write_png(tmp_path / "images" / "a.png", np.zeros((31, 47), np.uint8))
    with pytest.raises(OutputExistsError, match="holds other data already \\(images\\)"):
        DatasetWriter.open(tmp_path, RECIPE, is_resume=True)


def test_a_finished_dataset_is_not_overwritten_and_resuming_changes_nothing(tmp_path: Path) -> None:
    write_all(tmp_path / "out")
    before = contents(tmp_path / "out")
    with pytest.raises(OutputExistsError, match="--resume"):
        DatasetWriter.open(tmp_path / "out", RECIPE)
    write_all(tmp_path / "out", is_resume=True)
    assert contents(tmp_path / "out") == before


def test_resuming_another_recipe_names_what_differs(tmp_path: Path) -> None:
    write_all(tmp_path / "out")
    before = contents(tmp_path / "out")
    other = {**RECIPE, "seed": 4, "labels": {"kind": "discs", "radius_um": [4, 8], "n": 3}}
    with pytest.raises(
        RecipeError, match=r"recipe\.labels\.n, recipe\.labels\.radius_um, recipe\.seed, input a\.png"
    ):
        DatasetWriter.open(tmp_path / "out", other, is_resume=True)
    assert contents(tmp_path / "out") == before


def test_a_file_browser_and_a_run_killed_at_once_leave_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".progress").mkdir()
    (tmp_path / ".progress" / ".cellsynth-00.tmp").write_bytes(b"x")
    write_all(tmp_path)
    assert len(open_dataset(tmp_path)) == len(NAMES)


@pytest.mark.parametrize("damage", ["missing image", "cut image", "missing labels", "half-written"])
def test_resuming_makes_what_is_missing_and_nothing_else(tmp_path: Path, damage: str) -> None:
    write_all(tmp_path / "whole")
    out = tmp_path / "out"
    write_all(out)
    if damage == "missing image":
        (out / "images" / "s2.tif").unlink()
    elif damage == "cut image":
        (out / "images" / "s2.tif").write_bytes((out / "images" / "s2.tif").read_bytes()[:-10])
    elif damage == "missing labels":
        (out / "labels" / "s2.tif").unlink()
    else:
        (out / "images" / "s2.tif").rename(out / "images" / ".cellsynth-00.tmp")
    writer = DatasetWriter.open(out, RECIPE, is_resume=True, inputs={"a.png": "0" * 64})
    assert writer.pending(NAMES) == ["s2"]
    write_sample(out, make("s2"))
    writer.finish(NAMES)
    assert contents(out) == contents(tmp_path / "whole")


def test_killed_at_any_moment_and_resumed_gives_the_same_bytes(tmp_path: Path) -> None:
    names = [f"s{i}" for i in range(40)]
    write_all(tmp_path / "whole", names)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "import test_dataset as t\n"
        "print('ready', flush=True)\n"
        "t.write_all(Path(sys.argv[1]), [f's{i}' for i in range(40)], is_resume=True)\n"
    )
    out = tmp_path / "out"
    for delay_s in (0.005, 0.03, 0.06):
        process = subprocess.Popen([sys.executable, "-c", code, str(out)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(delay_s)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        for path in out.glob("*/*.tif"):
            assert path.read_bytes() == (tmp_path / "whole" / path.relative_to(out)).read_bytes()
    write_all(out, names, is_resume=True)
    assert contents(out) == contents(tmp_path / "whole")


def test_a_full_disk_leaves_what_is_finished_and_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    write_all(tmp_path / "whole")
    out, sync, left = tmp_path / "out", os.fsync, [9]

    def fail_later(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_later)
    with pytest.raises(StorageError, match="disk is full"):
        write_all(out)
    monkeypatch.undo()
    with pytest.raises(InputError, match="interrupted; finish it with --resume"):
        open_dataset(out)
    with pytest.raises(InputError, match="--resume"):
        read_any(out)
    write_all(out, is_resume=True)
    assert contents(out) == contents(tmp_path / "whole")


def test_finishing_too_early_is_an_error(tmp_path: Path) -> None:
    writer = DatasetWriter.open(tmp_path / "out", RECIPE)
    write_sample(tmp_path / "out", make("s0"))
    with pytest.raises(InputError, match="1 samples are not written yet, such as s1"):
        writer.finish(["s0", "s1"])


def test_verify_names_every_file_that_is_missing_or_changed(tmp_path: Path) -> None:
    write_all(tmp_path)
    (tmp_path / "images" / "s1.tif").unlink()
    (tmp_path / "labels" / "s2.tif").write_bytes(b"x")
    with pytest.raises(InputError, match=r"(?s)2 problems.*s1\.tif: is missing.*s2\.tif: is not the file"):
        verify(tmp_path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "is not the manifest"),
        ({"format_version": 2}, "format version 2"),
        ({"n_samples": 5}, "says 5 samples and lists 6"),
        ({"extra": 1}, "unknown key 'extra'"),
        ({"samples": "all"}, "samples"),
    ],
)
def test_a_manifest_that_was_changed_is_refused(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    write_all(tmp_path)
    data = json.loads((tmp_path / "dataset.json").read_bytes())
    (tmp_path / "dataset.json").write_text(json.dumps(data | change))
    with pytest.raises(InputError, match=rf"dataset\.json.*{words}"):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../secret.tif",
        "images/../../secret.tif",
        "..\\secret.tif",
        "C:x.tif",
        "link/secret.tif",
    ],
)
def test_a_manifest_cannot_lead_out_of_its_folder(tmp_path: Path, path: str) -> None:
    out = tmp_path / "out"
    write_all(out)
    write_png(tmp_path / "secret.tif", np.zeros((31, 47), np.uint8))
    (out / "link").symlink_to(tmp_path)
    data = json.loads((out / "dataset.json").read_bytes())
    data["samples"][0]["image"]["path"] = path
    (out / "dataset.json").write_text(json.dumps(data))
    with pytest.raises(InputError, match="outside of the folder"):
        open_dataset(out)


@pytest.mark.parametrize(
    "name", ["", ".hidden", "a/b", "..", "a\\b", "con", "NUL.x", "a\nb", "x" * 181, "a.", "a:b"]
)
def test_names_that_are_no_file_names_everywhere_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a name has 1 to 180 characters"):
        check_sample_name(name)


def test_names_that_differ_in_capitals_only_are_refused(tmp_path: Path) -> None:
    writer = DatasetWriter.open(tmp_path / "out", RECIPE)
    with pytest.raises(ValueError, match="unique"):
        writer.pending(["a", "A"])


def test_a_dataset_a_folder_and_a_file_are_read_by_one_function(tmp_path: Path) -> None:
    write_all(tmp_path)
    assert read_any(tmp_path).n_labelled == 6
    assert read_any(tmp_path / "images").n_labelled == 0
    assert len(read_any(tmp_path / "images" / "s1.tif")) == 1
    assert read_any(tmp_path / "images").grid(0) == GRID
    with pytest.raises(InputError, match="which knows its labels, channel and pixel size"):
        read_any(tmp_path, channel=1)
    with pytest.raises(InputError, match="not a dataset folder"):
        open_dataset(tmp_path / "images")


def test_splits_depend_on_the_name_alone_and_keep_their_fractions() -> None:
    fractions = {"train": 0.7, "val": 0.1, "test": 0.2}
    splits = [split_of(f"image_{i:04}", fractions) for i in range(4000)]
    for name, part in fractions.items():
        n_sigma = (splits.count(name) - 4000 * part) / np.sqrt(4000 * part * (1 - part))
        assert abs(n_sigma) < 3.5
    assert split_of("image_0007", fractions) == splits[7]
    assert split_of("a", {"train": 1.0, "test": 0.0}) == "train"
    with pytest.raises(ValueError, match="sum to 1"):
        split_of("a", {"train": 0.5})
