"""Distances between outlines: by hand, against all pairs of points, and where there is no outline."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellsynth.core.errors import RecipeError
from cellsynth.evaluate.segmentation import LabelPair, registry
from cellsynth.evaluate.segmentation._outlines import draw_outline
from tests.evaluate import brute_force
from tests.evaluate.label_fields import pairs, square

KINDS = ("boundary_f1", "hausdorff95", "mean_surface_distance")
NOTHING, FULL = np.zeros((9, 17), np.int32), np.ones((9, 17), np.int32)


def outline_of(mask):
    """As the metrics draw it."""
    groups = np.atleast_3d(mask).transpose(2, 0, 1) if mask.ndim == 2 else mask
    drawn = np.zeros(groups.shape, np.uint8)
    none = np.zeros(3, np.int64)
    draw_outline(groups.astype(np.uint32), np.zeros((3, 2), np.int64), drawn, none)
    return drawn.reshape(mask.shape) > 0


def score(kind, reference, prediction, voxel_um=None, **fields):
    metric = registry.parse({"kind": kind, **fields})
    return metric.score(metric.measure(LabelPair(reference, prediction, voxel_um)))


@given(pairs)
def test_outline_is_what_has_a_neighbour_outside(pair):
    mask = pair[0] > 0
    assert np.argwhere(outline_of(mask)).tolist() == brute_force.outline(mask).tolist()


@settings(max_examples=30)
@given(pairs, st.sampled_from([(2.0, 0.5, 0.25), (0.3, 1.0, 0.7)]), st.sampled_from([0.0, 0.5, 1.3]))
def test_voxels_may_have_any_shape(pair, voxel_um, tolerance):
    voxel_um = voxel_um[-pair[0].ndim :]
    for kind in KINDS:
        fields = {"tolerance_um": tolerance} if kind == "boundary_f1" else {}
        given = {"tolerance": tolerance} if fields else {}
        expected = getattr(brute_force, kind)(*pair, voxel=np.array(voxel_um), **given)
        assert score(kind, *pair, voxel_um, **fields) == pytest.approx(expected, nan_ok=True)


def test_a_shifted_line_by_hand():
    reference, prediction = square((9, 17), (2, 3, 1, 8)), square((9, 17), (5, 3, 1, 8))
    assert score("hausdorff95", reference, prediction) == 3
    assert score("mean_surface_distance", reference, prediction) == 3
    assert score("hausdorff95", reference, prediction, (0.5, 2.0)) == 1.5
    assert score("boundary_f1", reference, prediction, tolerance_um=2.9) == 0
    assert score("boundary_f1", reference, prediction, tolerance_um=3) == 1
    assert score("boundary_f1", reference, prediction, (0.1, 0.1), tolerance_um=0.3) == 1


def test_the_larger_direction_counts_and_the_mean_takes_both():
    reference, prediction = square((3, 20), (1, 1, 1, 1)), square((3, 20), (1, 1, 1, 1), (1, 11, 1, 1))
    assert score("hausdorff95", reference, prediction) == pytest.approx(9.5)
    assert score("mean_surface_distance", reference, prediction) == pytest.approx(10 / 3)


@pytest.mark.parametrize("of", ["foreground", "objects"])
def test_no_outline_on_a_side(of):
    cells = square((9, 17), (2, 3, 4, 5))
    for kind in ("hausdorff95", "mean_surface_distance"):
        for pair in ((NOTHING, NOTHING), (cells, NOTHING), (NOTHING, cells), (FULL, FULL), (cells, FULL)):
            assert math.isnan(score(kind, *pair, of=of))
    assert math.isnan(score("boundary_f1", NOTHING, NOTHING, of=of))
    assert math.isnan(score("boundary_f1", FULL, FULL, of=of))
    missing = score("boundary_f1", cells, NOTHING, of=of)
    assert missing == 0 if of == "foreground" else math.isnan(missing)


def test_the_edge_of_the_image_is_no_outline():
    reference, prediction = square((9, 17), (0, 0, 9, 5)), square((9, 17), (0, 0, 9, 7))
    assert np.flatnonzero(outline_of(reference > 0).any(axis=0)).tolist() == [4]
    assert score("mean_surface_distance", reference, prediction) == 2


def test_a_distant_false_alarm_hurts_the_foreground_and_not_the_matched_objects():
    reference = square((9, 40), (2, 2, 5, 5))
    prediction = square((9, 40), (2, 2, 5, 5), (2, 30, 5, 5))
    for kind in ("hausdorff95", "mean_surface_distance"):
        assert score(kind, reference, prediction) > 5
        assert score(kind, reference, prediction, of="objects") == 0
    assert score("boundary_f1", reference, prediction, of="objects") == 1


def test_touching_objects_have_outlines_of_their_own():
    apart = square((9, 17), (2, 2, 5, 4), (2, 6, 5, 6))
    moved = square((9, 17), (2, 2, 5, 5), (2, 7, 5, 5))  # the cut between the two moved by one
    assert score("mean_surface_distance", apart, moved) == 0
    assert score("hausdorff95", apart, moved, of="objects") == 1


@given(pairs)
@settings(max_examples=20)
def test_objects_are_measured_like_images_of_one_object_each(pair):
    reference, prediction = pair
    overlap = LabelPair(reference, prediction).overlap
    matching = overlap.match(0.5)
    values = [
        brute_force.mean_surface_distance(
            reference == overlap.reference_ids[i], prediction == overlap.prediction_ids[j]
        )
        for i, j in zip(matching.reference, matching.prediction, strict=True)
    ]
    values = [value for value in values if not math.isnan(value)]
    expected = np.mean(values) if values else math.nan
    found = score("mean_surface_distance", reference, prediction, of="objects")
    assert found == pytest.approx(expected, nan_ok=True)


def test_ignored_objects_have_no_outline():
    reference = square((9, 40), (2, 2, 5, 5), (0, 30, 4, 5))
    pair = LabelPair(reference, square((9, 40), (2, 2, 5, 5)), ignore_border=True)
    assert registry.parse("hausdorff95").measure(pair).total == 0


def test_the_unit_is_said():
    assert LabelPair(NOTHING, NOTHING).length_unit == "px"
    assert LabelPair(NOTHING, NOTHING, (0.5, 0.5)).length_unit == "um"


def test_pooled_distance_is_the_mean_over_images_that_have_one():
    metric = registry.parse("hausdorff95")
    line = square((9, 17), (2, 3, 1, 8))
    shifts = [LabelPair(line, square((9, 17), (2 + n, 3, 1, 8))) for n in (1, 3)]
    empty = LabelPair(line, NOTHING)
    assert (
        metric.score(sum((metric.measure(p) for p in [*shifts[1:], empty]), metric.measure(shifts[0]))) == 2
    )


@pytest.mark.parametrize(("field", "value"), [("tolerance_um", -1), ("of", "cells")])
def test_what_makes_no_sense_is_refused(field, value):
    with pytest.raises(RecipeError, match=field):
        registry.parse({"kind": "boundary_f1", field: value})
