"""Time and memory of one method on one image: true, and independent of what the process did before."""

import sys
import tracemalloc

import numpy as np
import pytest
import tifffile

from cellsynth.data.folder import read_folder
from cellsynth.pipeline import _measured_run
from cellsynth.pipeline._measured_run import Job, run_job
from cellsynth.segment.base import registry
from tests.evaluate.label_fields import square

SHAPE = (451, 603)


@pytest.fixture
def entry(tmp_path, key):
    """Sixteen bright squares in noise."""
    places = [(y, x, 31, 29) for y in range(20, 430, 110) for x in range(20, 590, 150)]
    pixels = key.generator().integers(90, 110, SHAPE).astype(np.uint8)
    pixels[square(SHAPE, *places) > 0] += 100
    tifffile.imwrite(tmp_path / "a.tif", pixels)
    return read_folder(tmp_path / "a.tif").entries[0]


def job(entry, tmp_path, kind, **fields):
    return Job(entry, kind, {"kind": kind, "diameter_um": 30.0, **fields}, tmp_path / "labels.tif")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell the peak of a process")
@pytest.mark.parametrize("kind", ["otsu", "mser"])
def test_memory_is_what_the_method_takes_in_any_order(entry, tmp_path, kind):
    first = run_job(job(entry, tmp_path, kind)).peak_mb
    run_job(job(entry, tmp_path, "h_maxima"))  # takes more than Otsu, and leaves it in the heap
    np.ones(50_000_000).sum()
    after_another = run_job(job(entry, tmp_path, kind)).peak_mb
    sample = entry.load()
    segment = registry.parse(job(entry, tmp_path, kind).config).build(sample.grid)
    tracemalloc.start()
    segment(sample.image)
    arrays_mb = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    for peak_mb in (first, after_another):
        assert 0.7 * arrays_mb < peak_mb < 1.5 * arrays_mb + 4  # the kernel counts pages, and late


def test_the_first_image_is_not_charged_what_the_process_loads(entry, tmp_path, monkeypatch):
    monkeypatch.setattr(_measured_run, "_warm", set())
    monkeypatch.setattr(_measured_run, "_built", {})
    built = []
    parse = registry.parse

    def noted(config):
        built.append(config["kind"])
        return parse(config)

    monkeypatch.setattr(registry, "parse", noted)
    assert run_job(job(entry, tmp_path, "otsu")).error is None
    assert run_job(job(entry, tmp_path, "otsu")).error is None
    assert built == ["otsu", "otsu"]  # to warm up, and for the shape of the image


def test_a_method_that_fails_is_an_outcome(entry, tmp_path):
    outcome = run_job(job(entry, tmp_path, "otsu", diameter_um=-1))
    assert outcome.error is not None
    assert "diameter_um" in outcome.error
    assert np.isnan(outcome.seconds)
    assert not (tmp_path / "labels.tif").exists()
