"""Volumes as OME-Zarr: the same bytes however they are made, and whole after whatever happened."""

import json
import os
import shutil
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr

from cellsynth.core.errors import OutputExistsError, RecipeError
from cellsynth.data.dataset import open_dataset, read_objects, verify
from cellsynth.pipeline.synthesize import synthesize
from tests.workflows.commands import COMMAND, ENVIRONMENT, files_in

if sys.platform == "win32":
    resource = None
else:
    import resource

VOLUME = {
    "name": "block",
    "n_samples": 1,
    "grid": {"shape_px": [9, 530, 521], "voxel_um": [2.0, 0.9, 0.8]},
    "labels": {
        "kind": "cells",
        "fraction": 0.2,
        "region": {"kind": "ellipsoid", "semi_axes_um": [9, 220, 200]},
        "populations": [{"radius_um": [4, 5]}],
    },
    "render": {
        "kind": "fluorescence",
        "attenuation": {"law": "f2p"},
        "optics": [{"psf": "gaussian"}, {"path_um": 20, "psf": {"kind": "gaussian", "sigma_xy_um": 2.0}}],
        "camera": {"hot_pixels": 0.001},
    },
    "format": "ome_zarr",
}
PLANE = {
    "name": "plane",
    "n_samples": 1,
    "grid": {"shape_px": [1050, 1031], "voxel_um": [0.5, 0.5]},
    "labels": {"kind": "cells", "density": 900.0, "populations": [{"radius_um": [5, 8]}]},
    "render": {"kind": "fluorescence", "channels": [{}, {"name": "dim", "photons": 40}]},
    "format": "ome_zarr",
}
RECIPES = {"2D": PLANE, "3D": VOLUME}


def recipe_file(folder, recipe):
    path = folder / f"{recipe['name']}.yaml"
    path.write_text(json.dumps(recipe))  # JSON is YAML
    return path


def made(folder, recipe, *overrides, out="out", **options):
    return synthesize(recipe_file(folder, recipe), folder / out, overrides, quiet=True, **options)


@pytest.fixture(scope="module", params=sorted(RECIPES))
def reference(request, tmp_path_factory):
    """Recipe, folder and sample of a run with one worker and the usual chunks."""
    folder = tmp_path_factory.mktemp("reference")
    recipe = RECIPES[request.param]
    images = made(folder, recipe, workers=1)
    return recipe, folder / "out", images[0]


def zarr_files(folder):
    """Everything that a user keeps; the recipe and the manifest name the chunks."""
    return {n: b for n, b in files_in(folder).items() if n.endswith((".parquet",)) or n.startswith("images/")}


def test_pixels_and_tables_are_those_of_a_tiff(reference, tmp_path):
    recipe, folder, sample = reference
    (other,) = made(tmp_path, recipe, "format=tiff")
    assert np.array_equal(other.image, sample.image)
    assert np.array_equal(other.labels, sample.labels)
    pd.testing.assert_frame_equal(read_objects(folder), read_objects(tmp_path / "out"))


def test_workers_do_not_change_a_byte(reference, tmp_path):
    recipe, folder, _ = reference
    made(tmp_path, recipe, workers=3)
    assert zarr_files(tmp_path / "out") == zarr_files(folder)


@pytest.mark.parametrize("chunk", [60, 128, 5000])
def test_chunks_do_not_change_a_value(reference, tmp_path, chunk):
    recipe, folder, sample = reference
    n = len(recipe["grid"]["shape_px"])
    (other,) = made(tmp_path, recipe, f"chunk_px={[chunk] * n}")
    assert np.array_equal(other.image, sample.image)
    assert np.array_equal(other.labels, sample.labels)
    pd.testing.assert_frame_equal(read_objects(folder), read_objects(tmp_path / "out"))
    stored = zarr.open_array(next((tmp_path / "out/images").iterdir()) / "0", mode="r")
    assert stored.chunks[-n:] == tuple(min(chunk, s) for s in recipe["grid"]["shape_px"])


@pytest.mark.slow
def test_a_cluster_does_not_change_a_byte(reference, tmp_path):
    distributed = pytest.importorskip("distributed", reason='pip install "cellsynth[cluster]"')
    recipe, folder, _ = reference
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with distributed.LocalCluster(**options, protocol="tcp://") as cluster:
        made(tmp_path, recipe, scheduler=cluster.scheduler_address)
    assert zarr_files(tmp_path / "out") == zarr_files(folder)


def test_the_dataset_is_whole_and_reads_like_any_other(reference):
    recipe, folder, sample = reference
    manifest = verify(folder)
    (record,) = manifest.samples
    assert record.image.path.endswith(".ome.zarr")
    assert record.labels.path == f"{record.image.path}/labels/cells"
    assert sample.labels.max() == record.n_objects == len(read_objects(folder))
    assert sample.image.shape[1:] == tuple(recipe["grid"]["shape_px"])
    assert not (folder / ".progress").exists()


class _Stopped(KeyboardInterrupt):
    pass


@pytest.fixture
def stop_after(monkeypatch):
    """Ctrl-C after so many blocks were written."""

    def begin(n):
        from cellsynth.pipeline import _volume_sample

        write, seen = _volume_sample.write_volume_block, []

        def counted(*args):
            if len(seen) == n:
                raise _Stopped
            seen.append(write(*args))

        monkeypatch.setattr(_volume_sample, "write_volume_block", counted)

    yield begin
    monkeypatch.undo()


def blocks_of(folder):
    return sorted(folder.glob(".progress/*.blocks/*.npz"))


@pytest.mark.parametrize("n_blocks", [0, 2])
def test_an_interrupted_run_goes_on_with_the_blocks_that_are_missing(
    reference, tmp_path, stop_after, monkeypatch, n_blocks
):
    recipe, folder, _ = reference
    stop_after(n_blocks)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, recipe, workers=1)
    monkeypatch.undo()
    kept = {path: path.stat().st_mtime_ns for path in blocks_of(tmp_path / "out")}
    assert len(kept) == n_blocks
    assert not list((tmp_path / "out/images").iterdir())
    made(tmp_path, recipe, workers=1, resume=True)
    assert zarr_files(tmp_path / "out") == zarr_files(folder)


def test_a_block_that_the_disk_lost_is_made_again(reference, tmp_path, stop_after, monkeypatch):
    recipe, folder, _ = reference
    stop_after(3)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, recipe, workers=1)
    monkeypatch.undo()
    place = next((tmp_path / "out/.progress").glob("*.ome.zarr"))
    chunks = sorted(p for p in place.rglob("c/**/*") if p.is_file())
    chunks[0].write_bytes(b"")
    chunks[1].unlink()
    chunks[2].write_bytes(chunks[2].read_bytes()[:-5])
    blocks_of(tmp_path / "out")[-1].write_bytes(b"PK\x03\x04 and no more")
    made(tmp_path, recipe, resume=True)
    assert zarr_files(tmp_path / "out") == zarr_files(folder)


def test_a_finished_volume_that_was_damaged_is_made_again(reference, tmp_path):
    recipe, folder, _ = reference
    shutil.copytree(folder, tmp_path / "out")
    chunk = next(p for p in (tmp_path / "out/images").rglob("0/c/**/*") if p.is_file())
    chunk.write_bytes(b"half")
    recipe_file(tmp_path, recipe)
    made(tmp_path, recipe, resume=True)
    assert zarr_files(tmp_path / "out") == zarr_files(folder)


@pytest.mark.slow
def test_a_killed_process_loses_no_finished_block(tmp_path):
    """Killed outright, as by the system when memory runs out."""
    file = recipe_file(tmp_path, VOLUME)
    command = [*COMMAND, "synthesize", str(file), str(tmp_path / "out"), "--workers=1", "--quiet"]
    process = subprocess.Popen(command, env=ENVIRONMENT)
    while not blocks_of(tmp_path / "out") and process.poll() is None:
        pass
    process.kill()
    process.wait()
    made(tmp_path, VOLUME, resume=True)
    made(tmp_path, VOLUME, out="again")
    assert zarr_files(tmp_path / "out") == zarr_files(tmp_path / "again")


def test_a_half_written_zarr_of_somebody_else_is_not_touched(tmp_path):
    foreign = tmp_path / "out/images/block_00000.ome.zarr/0"
    foreign.mkdir(parents=True)
    (foreign / "zarr.json").write_text("{")
    with pytest.raises(OutputExistsError, match="holds other data already"):
        made(tmp_path, VOLUME)
    with pytest.raises(OutputExistsError, match="holds other data already"):
        made(tmp_path, VOLUME, resume=True)
    assert (foreign / "zarr.json").read_text() == "{"


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
@pytest.mark.skipif(resource is None, reason="limits of files are of POSIX")
def test_a_full_disk_says_so_and_the_run_goes_on_when_there_is_room(tmp_path):
    """Files may have so many bytes, as on a disk that is full: chunks of labels fit, those of the image do not."""
    recipe, out = recipe_file(tmp_path, VOLUME), tmp_path / "out"
    command = [*COMMAND, "synthesize", str(recipe), str(out), "--workers=1", "--quiet"]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (60_000, resource.RLIM_INFINITY))
    environment = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1", "NUMBA_CACHE_DIR": os.devnull + "/none"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, preexec_fn=limit, timeout=200
    )
    assert done.returncode == 4, done.stderr
    assert "could not be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (out / "images" / "block_00000.ome.zarr").exists()
    made(tmp_path, VOLUME, workers=1, resume=True)
    made(tmp_path, VOLUME, workers=1, out="other")
    assert zarr_files(out) == zarr_files(tmp_path / "other")


def test_chunks_that_do_not_fit_are_refused(tmp_path):
    with pytest.raises(RecipeError, match="chunk_px has 2 numbers and the grid 3 axes"):
        made(tmp_path, VOLUME, "chunk_px=[4, 4]")
    large = {
        **VOLUME,
        "grid": {"shape_px": [1900, 1900, 1900], "voxel_um": [2, 2, 2]},
        "labels": {"kind": "cells", "n_cells": 0},
    }
    with pytest.raises(RecipeError, match="Give chunks that divide the tiles"):
        made(tmp_path, large, "chunk_px=[63, 101, 103]", out="large")


def test_a_scheduler_is_for_blocks_alone(tmp_path):
    with pytest.raises(RecipeError, match="add format=ome_zarr"):
        made(tmp_path, VOLUME, "format=tiff", scheduler="tcp://127.0.0.1:1")


def test_stages_are_the_same_in_both_formats(tmp_path):
    small = {
        **VOLUME,
        "grid": {"shape_px": [9, 40, 41], "voxel_um": [2.0, 0.9, 0.8]},
        "labels": {"kind": "cells", "n_cells": 6},
    }
    for kind in ("tiff", "ome_zarr"):
        made(tmp_path, small, f"format={kind}", out=kind, save_interim=True, preview=True)
    names = ["attenuated", "blurred", "emitted", "expected"]
    assert sorted(p.name for p in (tmp_path / "tiff/interim").iterdir()) == [
        f"block_00000_{n}.tif" for n in names
    ]
    for name in names:
        image = tifffile.imread(tmp_path / f"tiff/interim/block_00000_{name}.tif")
        volume = zarr.open_array(tmp_path / f"ome_zarr/interim/block_00000_{name}.ome.zarr/0", mode="r")
        assert image.dtype == np.float32
        assert np.array_equal(image, volume[...])
    pictures = [(tmp_path / f"{kind}/preview/block_00000.png").read_bytes() for kind in ("tiff", "ome_zarr")]
    assert pictures[0] == pictures[1]
    assert len(open_dataset(tmp_path / "ome_zarr")) == 1


def test_one_slice_is_a_volume_with_a_preview(tmp_path):
    flat = {**VOLUME, "grid": {"shape_px": [1, 64, 70], "voxel_um": [2.0, 0.9, 0.8]}}
    flat["labels"] = {"kind": "cells", "n_cells": 5, "populations": [{"radius_um": [4, 5]}]}
    made(tmp_path, flat, preview=True)
    assert (tmp_path / "out" / "preview" / "block_00000.png").stat().st_size > 200


def test_a_run_that_was_stopped_when_its_stages_were_done_goes_on(tmp_path, monkeypatch):
    from cellsynth.data import _volume_files

    small = {**VOLUME, "grid": {"shape_px": [9, 40, 41], "voxel_um": [2.0, 0.9, 0.8]}}
    small["labels"] = {"kind": "cells", "n_cells": 6, "populations": [{"radius_um": [4, 5]}]}
    publish = _volume_files.publish

    def stopping(draft):
        if draft.path.parent.name == "images":
            raise KeyboardInterrupt
        return publish(draft)

    monkeypatch.setattr(_volume_files, "publish", stopping)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, small, save_interim=True)
    monkeypatch.undo()
    assert (tmp_path / "out" / "interim" / "block_00000_emitted.ome.zarr").exists()
    made(tmp_path, small, save_interim=True, resume=True)
    made(tmp_path, small, save_interim=True, out="other")
    assert zarr_files(tmp_path / "out") == zarr_files(tmp_path / "other")


def test_a_run_that_was_stopped_before_its_volume_was_on_record_keeps_it(tmp_path, monkeypatch):
    from cellsynth.data import _volume_files
    from cellsynth.pipeline import _volume_sample

    small = {**VOLUME, "grid": {"shape_px": [9, 40, 41], "voxel_um": [2.0, 0.9, 0.8]}}
    small["labels"] = {"kind": "cells", "n_cells": 6, "populations": [{"radius_um": [4, 5]}]}

    def stop(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(_volume_files, "write_progress", stop)
    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, small)
    monkeypatch.undo()
    monkeypatch.setattr(_volume_sample, "_write_block", stop)  # none is made again
    made(tmp_path, small, resume=True)
    monkeypatch.undo()
    made(tmp_path, small, out="other")
    assert zarr_files(tmp_path / "out") == zarr_files(tmp_path / "other")


def test_stages_are_of_renderers_that_have_some(tmp_path):
    plain = {"name": "plain", "n_samples": 1, "grid": {"shape_px": [64, 64], "voxel_um": [1, 1]}}
    with pytest.raises(RecipeError, match="which has none"):
        made(tmp_path, plain, save_interim=True)
    assert not (tmp_path / "out").exists()
