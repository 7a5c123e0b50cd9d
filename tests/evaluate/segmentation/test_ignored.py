"""Objects that are left out: by hand, against masks, and that nobody is punished or rewarded for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellsynth.core.errors import InputError
from cellsynth.evaluate.objects import object_table
from cellsynth.evaluate.segmentation import LabelPair, registry
from tests.evaluate.brute_force import masks
from tests.evaluate.label_fields import pairs, square

SHAPE = (13, 31)
INNER, CUT = (3, 4, 5, 5), (0, 20, 5, 5)


def left(reference, prediction, **options):
    """Ids that still count, on both sides."""
    overlap = LabelPair(reference, prediction, **options).overlap
    return overlap.reference_ids.tolist(), overlap.prediction_ids.tolist()


def border(reference, prediction):
    return left(reference, prediction, ignore_border=True)


def test_a_cut_cell_and_its_match_are_left_out_and_so_is_missing_it():
    both = square(SHAPE, INNER, CUT)
    assert border(both, both) == ([1], [1])
    assert border(both, square(SHAPE, INNER)) == ([1], [1])
    # The prediction stops short of the border: it is the cut cell all the same.
    assert border(both, square(SHAPE, INNER, (1, 20, 4, 5))) == ([1], [1])


def test_a_prediction_that_reaches_the_border_counts_where_it_matches_a_cell_that_does_not():
    reference = square(SHAPE, (1, 4, 6, 5))
    assert border(reference, square(SHAPE, (0, 4, 7, 5))) == ([1], [1])


def test_a_prediction_at_the_border_that_matches_nothing_is_left_out_and_the_cell_is_missed():
    reference = square(SHAPE, (6, 4, 5, 5))
    assert border(reference, square(SHAPE, (0, 4, 7, 5))) == ([1], [])
    assert border(np.zeros(SHAPE, np.int32), square(SHAPE, CUT)) == ([], [])


def test_a_prediction_in_a_cut_cell_is_left_out_though_it_is_no_match():
    reference = square(SHAPE, (0, 15, 10, 10))
    assert border(reference, square(SHAPE, (3, 17, 3, 3))) == ([], [])
    # Half inside is not more than half.
    assert border(reference, square(SHAPE, (3, 23, 3, 4))) == ([], [1])


def test_a_small_cell_and_a_crumb_are_left_out_and_a_short_match_is_not():
    reference = square(SHAPE, (3, 4, 5, 5), (3, 20, 2, 3))
    prediction = square(SHAPE, (3, 4, 4, 4), (3, 20, 3, 4), (10, 10, 2, 2))
    assert left(reference, prediction, min_area_px=20) == ([1], [1])
    assert left(reference, prediction, min_area_px=6) == ([1, 2], [1, 2])
    assert left(reference, prediction, min_area_px=26) == ([], [])


def test_what_is_left_out_is_background_in_every_metric_and_table():
    reference, prediction = square(SHAPE, INNER, CUT), square(SHAPE, INNER, (0, 20, 5, 3), (0, 0, 2, 2))
    pair = LabelPair(reference, prediction, ignore_border=True)
    for kind in ("average_precision", "dice", "iou", "matthews_correlation", "aggregated_jaccard", "ctc_det"):
        metric = registry.parse(kind)
        assert metric.score(metric.measure(pair)) == 1
    assert object_table(pair)["id"].tolist() == [1, 1]
    np.testing.assert_array_equal(pair.reference_foreground, reference == 1)
    np.testing.assert_array_equal(pair.prediction_foreground, prediction == 1)
    np.testing.assert_array_equal(pair.reference, reference)
    assert pair.overlap.n_voxels == reference.size


def test_an_axis_of_one_voxel_has_no_border():
    flat = np.stack([square(SHAPE, INNER, CUT)])
    assert border(flat, flat) == ([1], [1])
    thick = np.concatenate([flat] * 3)
    assert border(thick, thick) == ([], [])


def test_a_single_pixel_touches_the_border():
    assert border(np.array([[3]]), np.array([[5]])) == ([], [])


def test_options_that_leave_nothing_out_change_nothing():
    reference, prediction = square(SHAPE, INNER, CUT), square(SHAPE, CUT)
    pair = LabelPair(reference, prediction, min_area_px=1)
    assert pair.overlap.counts.tolist() == LabelPair(reference, prediction).overlap.counts.tolist()


def test_a_negative_area_is_refused():
    with pytest.raises(InputError, match="min_area_px is -1"):
        LabelPair(square(SHAPE, INNER), square(SHAPE, INNER), min_area_px=-1)


@given(pairs, st.booleans(), st.sampled_from([0, 3, 9]))
def test_equals_the_rule_on_masks(pair, ignore_border, min_area_px):
    reference, prediction = pair

    def is_out(mask):
        core = mask[tuple(slice(1, -1) for _ in mask.shape)]
        return mask.sum() < min_area_px or (ignore_border and core.sum() < mask.sum())

    a, b = masks(reference), masks(prediction)
    out = [is_out(x) for x in a]
    overlap = LabelPair(reference, prediction).overlap
    matching = overlap.match(0.5)
    partner = dict(zip(matching.prediction.tolist(), matching.reference.tolist(), strict=True))
    covered = np.any([x for x, o in zip(a, out, strict=True) if o], axis=0) if any(out) else reference < 0
    keeps = [
        not out[partner[j]] if j in partner else not (is_out(y) or 2 * (y & covered).sum() > y.sum())
        for j, y in enumerate(b)
    ]
    expected = (
        overlap.reference_ids[~np.array(out, bool)].tolist(),
        overlap.prediction_ids[np.array(keeps, bool)].tolist(),
    )
    assert left(reference, prediction, ignore_border=ignore_border, min_area_px=min_area_px) == expected


@given(pairs, st.booleans(), st.sampled_from([0, 3, 9]))
def test_a_perfect_prediction_stays_perfect_whatever_is_left_out(pair, ignore_border, min_area_px):
    reference, _ = pair
    kept = left(reference, reference, ignore_border=ignore_border, min_area_px=min_area_px)
    assert kept[0] == kept[1]


@given(pairs)
def test_redrawing_what_is_left_out_changes_no_score(pair):
    reference, prediction = pair
    pair = LabelPair(reference, prediction, ignore_border=True)
    without = np.where(np.isin(prediction, pair.ignored_prediction_ids), 0, prediction)
    again = LabelPair(reference, without, ignore_border=True)
    assert again.overlap.keys.tolist() == pair.overlap.keys.tolist()
    assert again.overlap.counts.tolist() == pair.overlap.counts.tolist()
