"""A run whose files were damaged, deleted, or never finished is repaired by --resume."""

import shutil

import pytest

from cellsynth import benchmark, segment_images
from tests.workflows.test_main_job import SMALL, assert_same_run, real, whole  # noqa: F401 fixtures

FIRST = "synthetic_00000.tif"


def truncate(path):
    path.write_bytes(path.read_bytes()[:60])


def damage_predictions(run):
    truncate(run / "segmentation" / "synthetic" / "otsu" / FIRST)
    (run / "segmentation" / "real" / "voronoi_otsu_default" / "dsb_tile1.tif").unlink()


def damage_images(run):
    truncate(run / "synthetic" / "images" / FIRST)
    (run / "tuning" / "labels" / "tuning_500000.tif").unlink()


def damage_pixels(run):
    """What the headers do not show."""
    for part in ("segmentation/synthetic/otsu", "synthetic/images"):
        path = run / part / FIRST
        path.write_bytes(path.read_bytes()[:-30] + bytes(30))


def damage_calibration(run):
    truncate(run / "calibration" / "cells.parquet")


def damage_tables(run):
    truncate(run / "tables" / "methods.json")
    truncate(run / "tables" / "scores.parquet")
    (run / "tables" / "response.parquet").unlink()
    (run / "tables" / "outcomes_real.parquet").unlink()


def damage_datasets(run):
    truncate(run / "tuning" / "dataset.json")
    (run / "synthetic" / "objects.parquet").unlink()


def damage_checksums(run):
    truncate(run / "files.json")


@pytest.mark.parametrize(
    "damage",
    [
        damage_predictions,
        damage_images,
        damage_pixels,
        damage_calibration,
        damage_tables,
        damage_datasets,
        damage_checksums,
    ],
)
def test_what_is_damaged_or_gone_is_made_again(real, whole, tmp_path, damage):  # noqa: F811
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    damage(run)
    benchmark(real / "images", run, reference=real / "labels", workers=1, quiet=True, resume=True, **SMALL)
    assert_same_run(run, whole)


def test_a_run_without_its_page_gets_it_again(real, whole, tmp_path):  # noqa: F811
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / "report.html").unlink()
    before = (run / "tables" / "outcomes_synthetic.parquet").read_bytes()
    benchmark(real / "images", run, reference=real / "labels", workers=1, quiet=True, resume=True, **SMALL)
    assert_same_run(run, whole)
    assert (run / "tables" / "outcomes_synthetic.parquet").read_bytes() == before


def test_a_dataset_that_was_cut_off_is_continued(real, whole, tmp_path, monkeypatch):  # noqa: F811
    """A stop in the middle of synthesizing leaves a dataset without its manifest."""
    import cellsynth.data.dataset as dataset

    def stop(self, names):
        raise KeyboardInterrupt

    run = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(dataset.DatasetWriter, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            benchmark(real / "images", run, reference=real / "labels", workers=1, quiet=True, **SMALL)
    assert not (run / "tuning" / "dataset.json").exists()
    benchmark(real / "images", run, reference=real / "labels", workers=1, quiet=True, resume=True, **SMALL)
    assert_same_run(run, whole)


def test_a_damaged_label_file_of_a_finished_segmentation_is_made_again(real, tmp_path):  # noqa: F811
    out = tmp_path / "out"
    options = {"method": "otsu", "diameter": 20.0, "polarity": "bright", "workers": 1, "quiet": True}
    segment_images(real / "images", out, **options)
    expected = {path.name: path.read_bytes() for path in out.glob("*.tif")}
    damaged = bytearray(expected["dsb_tile1.tif"])
    damaged[-30:] = bytes(30)  # the header stays
    (out / "dsb_tile1.tif").write_bytes(damaged)
    (out / "dsb_tile2.tif").unlink()
    segment_images(real / "images", out, resume=True, **options)
    assert {path.name: path.read_bytes() for path in out.glob("*.tif")} == expected
