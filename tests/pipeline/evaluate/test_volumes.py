"""`cellsynth evaluate` of OME-Zarr volumes: the same tables as of files in memory, whoever works."""

import json

import numpy as np
import pandas as pd
import pytest

from cellsynth.cli import main
from cellsynth.core.errors import InputError, RecipeError
from cellsynth.evaluate.segmentation import registry
from cellsynth.io.labels import write_labels
from cellsynth.pipeline.evaluate.labels import evaluate_labels
from tests.evaluate.label_fields import changed, voronoi
from tests.io.zarr_stores import write_array, write_store
from tests.workflows.commands import cellsynth

VOXEL_UM = (2.0, 0.5, 0.5)
EVERYTHING = ",".join(
    [kind for kind in registry.names() if not registry.get(kind).needs_classes]
    + [f"{kind}[of=objects]" for kind in ("boundary_f1", "hausdorff95", "mean_surface_distance")]
)


def field(seed, shape=(9, 41, 53)):
    """Reference and prediction with gaps in their ids, some of them large."""
    rng = np.random.default_rng(seed)
    reference = voronoi(rng, shape, 14)
    prediction = changed(rng, reference)
    return (reference * 7).astype(np.uint32), np.where(prediction > 0, 2**32 - 1 - prediction, 0).astype(
        np.uint32
    )


@pytest.fixture
def sides(tmp_path):
    """Folders of the same labels as TIFF and as OME-Zarr: `tiff/prediction`, `zarr/reference` and so on."""
    for i in range(2):
        for side, labels in zip(("reference", "prediction"), field(i), strict=True):
            version, chunks = ("0.4", (4, 16, 20)) if side == "reference" else ("0.5", (3, 25, 11))
            for kind in ("tiff", "zarr"):
                (tmp_path / kind / side).mkdir(parents=True, exist_ok=True)
            write_labels(tmp_path / "tiff" / side / f"v{i}.tif", labels, voxel_um=VOXEL_UM)
            path = tmp_path / "zarr" / side / f"v{i}.ome.zarr"
            write_store(path, labels, version=version, chunks=chunks, scale=VOXEL_UM)
    return tmp_path


def tables(folder, prediction, reference, **options):
    """Scores, objects and summary."""
    evaluate_labels(prediction, reference, out=folder, quiet=True, **options)
    summary = json.loads((folder / "summary.json").read_text())
    return (
        pd.read_parquet(folder / "scores.parquet"),
        pd.read_parquet(folder / "objects.parquet"),
        pd.DataFrame(summary["metrics"]),
    )


@pytest.mark.parametrize("ignored", [{}, {"ignore_border": True, "min_area_px": 9}], ids=["all", "some"])
def test_tables_are_equal_to_those_of_files_in_memory(sides, ignored):
    options = {"metrics": EVERYTHING, **ignored}
    expected = tables(sides / "a", sides / "tiff/prediction", sides / "tiff/reference", **options)
    for name, workers in (("b", 1), ("c", 3)):
        found = tables(
            sides / name, sides / "zarr/prediction", sides / "zarr/reference", workers=workers, **options
        )
        for first, second in zip(expected, found, strict=True):
            pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_file_may_stand_against_a_volume(sides):
    expected = tables(sides / "a", sides / "tiff/prediction", sides / "tiff/reference", metrics=EVERYTHING)
    found = tables(sides / "b", sides / "tiff/prediction", sides / "zarr/reference", metrics=EVERYTHING)
    for first, second in zip(expected, found, strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_two_volumes_that_are_named_themselves_need_not_have_the_same_name(sides):
    prediction = sides / "zarr/prediction/v0.ome.zarr"
    prediction.rename(sides / "mine.zarr")
    table = evaluate_labels(
        sides / "mine.zarr", sides / "zarr/reference/v0.ome.zarr", metrics="dice", quiet=True
    )
    assert 0 < table["mean"][0] < 1


@pytest.mark.slow
def test_a_cluster_gives_the_same_tables(sides):
    distributed = pytest.importorskip("distributed", reason='pip install "cellsynth[cluster]"')
    metrics = "f1,hausdorff95,boundary_f1[of=objects]"
    expected = tables(sides / "a", sides / "zarr/prediction", sides / "zarr/reference", metrics=metrics)
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options, protocol="tcp://") as cluster:
        found = tables(
            sides / "b",
            sides / "zarr/prediction",
            sides / "zarr/reference",
            metrics=metrics,
            scheduler=cluster.scheduler_address,
        )
    for first, second in zip(expected, found, strict=True):
        pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_a_mask_is_no_reference_and_a_grey_image_no_prediction(tmp_path):
    reference, prediction = field(0)
    write_array(tmp_path / "a.zarr", prediction)
    write_array(tmp_path / "mask.zarr", (reference > 0).astype(np.uint8))
    spots = np.zeros((5, 31, 47), np.uint8)
    spots[1:4, 3:8, 4:9] = spots[1:4, 20:25, 30:35] = 255
    write_array(tmp_path / "spots.zarr", spots)
    with pytest.raises(
        InputError, match=r"spots\.zarr: the only values besides 0 are 255, on 2 separate regions"
    ):
        evaluate_labels(tmp_path / "spots.zarr", tmp_path / "spots.zarr", quiet=True)
    grey = np.random.default_rng(0).integers(5, 200, reference.shape).astype(np.uint8)
    write_array(tmp_path / "grey.zarr", grey)
    with pytest.raises(InputError, match=r"grey\.zarr: is a grey image and no labels"):
        evaluate_labels(tmp_path / "grey.zarr", tmp_path / "a.zarr", quiet=True)
    with pytest.raises(InputError, match=r"labels are \(9, 41, 53\) and the reference"):
        evaluate_labels(tmp_path / "a.zarr", tmp_path / "spots.zarr", quiet=True)


def test_a_volume_of_fractions_is_refused_before_anything_is_measured(tmp_path):
    write_array(tmp_path / "a.zarr", field(0)[0].astype(np.float32))
    with pytest.raises(InputError, match=r"a\.zarr: values are float32"):
        evaluate_labels(tmp_path / "a.zarr", tmp_path / "a.zarr", quiet=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"scheduler": "host:8786"}, "--scheduler is 'host:8786'"), ({"workers": 0}, "--workers is 0")],
)
def test_a_wrong_option_is_named_before_any_file_is_read(tmp_path, options, message):
    with pytest.raises(RecipeError, match=message):
        evaluate_labels(tmp_path / "a", tmp_path / "b", **options)


def test_the_command_takes_volumes_and_says_what_is_damaged(sides, capsys):
    both = [str(sides / "zarr" / side / "v0.ome.zarr") for side in ("prediction", "reference")]
    assert main(["evaluate", *both, "--metrics", "dice,hausdorff95", "--workers", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split()[-1] == "um"
    chunk = next(p for p in (sides / "zarr/prediction/v0.ome.zarr/0/c").rglob("*") if p.is_file())
    chunk.write_bytes(b"nothing")
    done = cellsynth("evaluate", *both, "--metrics", "dice", "--out", sides / "out")
    assert (done.returncode, done.stderr.count("Traceback")) == (3, 0)
    assert "v0.ome.zarr/0: is of a Zarr store and holds a chunk that cannot be read" in done.stderr
    assert not (sides / "out").exists()
