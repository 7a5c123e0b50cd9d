"""Hand-made cases that tell the methods apart."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.segment.base import registry
from tests.segment.cells import DIAMETER, FIELD, TOUCHING, discs, image_of, mean_iou


def segment(image, kind, diameter=DIAMETER, **values):
    config = registry.parse({"kind": kind, "diameter_um": diameter, **values})
    return config.build(Grid(shape_px=image.shape[1:]))(image)


@pytest.mark.parametrize(
    "kind", ["cellprofiler", "log_watershed", "local_threshold", "h_maxima", "voronoi_otsu"]
)
def test_touching_cells_stay_separate(kind):
    labels = segment(image_of(TOUCHING, noise=0.02), kind)
    assert labels.max() == 2
    assert mean_iou(TOUCHING, labels) > 0.8


def test_otsu_merges_touching_cells():
    assert segment(image_of(TOUCHING, noise=0.02), "otsu").max() == 1


def test_mser_separates_touching_cells_by_the_dark_line_between_them():
    image = image_of(TOUCHING, noise=0.01)
    image[0, :, 30:32] -= np.float32(0.15) * (TOUCHING[:, 30:32] > 0)
    labels = segment(image, "mser")
    assert labels.max() == 2
    assert mean_iou(TOUCHING, labels) > 0.75


def test_mser_finds_cells_under_thresholds_of_their_own():
    """A dim cell on dark ground is darker than the bright ground of another."""
    labels = discs((61, 121), [(30, 25), (30, 95)])
    image = image_of(labels, background=0.1, contrast=0.15, noise=0.01)
    image[0] += 0.4 * np.linspace(0, 1, 121, dtype=np.float32)
    assert mean_iou(labels, segment(image, "mser")) > 0.7
    assert mean_iou(labels, segment(image, "local_threshold")) > 0.7
    assert mean_iou(labels, segment(image, "otsu")) < 0.6


def test_cellprofiler_divides_a_clump_of_one_brightness_by_shape_alone():
    image = image_of(TOUCHING)
    assert segment(image, "cellprofiler", declump="none").max() == 1
    assert segment(image, "cellprofiler", declump="shape").max() == 2


def test_cellprofiler_divides_by_intensity_what_has_no_waist():
    y, x = np.indices((49, 63))
    bar = ((abs(y - 24) < 6) & (abs(x - 31) < 13)).astype(np.int32)
    image = image_of(bar)
    image[0] -= np.float32(0.2) * bar * (abs(x - 31) < 2)
    assert segment(image, "cellprofiler", declump="intensity").max() == 2


def test_cellprofiler_keeps_border_cells_unless_asked():
    image = image_of(FIELD)
    assert segment(image, "cellprofiler").max() == FIELD.max()
    assert segment(image, "cellprofiler", is_border_discarded=True).max() == FIELD.max() - 2


def test_cellprofiler_discards_what_is_too_large():
    labels = discs((95, 121), [(45, 45)], diameter=60) + discs((95, 121), [(45, 100)])
    assert segment(image_of(labels), "cellprofiler", declump="none", max_diameter=2.0).max() == 1


@pytest.mark.parametrize("kind", ["otsu", "cellprofiler", "local_threshold", "h_maxima", "voronoi_otsu"])
def test_holes_are_filled(kind):
    labels = discs((49, 63), [(24, 30)], diameter=25)
    image = image_of(labels)
    image[0, 23:26, 29:32] = 0.2
    found = segment(image, kind, diameter=25.0)
    assert found[24, 30] > 0


@pytest.mark.parametrize("window", [2.0, 6.0])
@pytest.mark.parametrize("rule", ["mean", "sauvola"])
def test_local_threshold_ignores_ground_without_cells(rule, window):
    labels = discs((121, 191), [(20, 20), (24, 60)])
    image = image_of(labels, noise=0.03)
    assert segment(image, "local_threshold", rule=rule, window=window).max() == 2


def test_h_maxima_keep_fewer_seeds_for_a_larger_h():
    image = image_of(TOUCHING, noise=0.05)
    counts = [segment(image, "h_maxima", h=h).max() for h in (0.001, 0.05, 1.5)]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] == 1


def test_log_seeds_follow_the_scale():
    image = image_of(discs((61, 61), [(30, 30)], diameter=41))
    assert segment(image, "log_watershed", diameter=41.0).max() == 1
    assert segment(image, "log_watershed", diameter=8.0, separation=0.2).max() > 1
