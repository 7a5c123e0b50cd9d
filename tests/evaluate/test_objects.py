"""Outcomes of objects: by hand for each kind, and consistent with the counts."""

import numpy as np
from hypothesis import given

from cellsynth.evaluate.objects import classify_objects, object_table
from cellsynth.evaluate.segmentation import LabelPair
from tests.evaluate.brute_force import iou_matrix
from tests.evaluate.label_fields import pairs, square


def outcomes(reference, prediction, iou=0.5):
    found = classify_objects(LabelPair(reference, prediction), iou)
    return found.reference.tolist(), found.prediction.tolist()


WHOLE = square((9, 17), (1, 1, 4, 12))
THIRDS = square((9, 17), (1, 1, 4, 4), (1, 5, 4, 4), (1, 9, 4, 4))


def test_one_object_in_three_parts_is_split():
    assert outcomes(WHOLE, THIRDS) == (["split"], ["split"] * 3)


def test_three_objects_in_one_are_merged():
    assert outcomes(THIRDS, WHOLE) == (["merge"] * 3, ["merge"])


def test_a_large_object_that_swallows_a_small_one_is_matched_and_the_small_one_merged():
    reference = square((9, 17), (1, 1, 4, 9), (1, 10, 4, 3))
    assert outcomes(reference, WHOLE) == (["match", "merge"], ["match"])


def test_a_matched_object_with_a_chip_beside_it_leaves_the_chip_split():
    prediction = square((9, 17), (1, 1, 4, 9), (1, 10, 4, 3))
    assert outcomes(WHOLE, prediction) == (["match"], ["match", "split"])


def test_what_nothing_overlaps_is_missed_or_a_false_alarm():
    assert outcomes(square((9, 17), (1, 1, 3, 3)), square((9, 17), (5, 9, 3, 3))) == (
        ["miss"],
        ["false_alarm"],
    )


def test_a_badly_outlined_object_is_missed_and_not_split():
    assert outcomes(WHOLE, square((9, 17), (1, 1, 4, 4))) == (["miss"], ["false_alarm"])


def test_no_object_has_no_outcome():
    nothing = np.zeros((9, 17), np.int32)
    assert outcomes(nothing, nothing) == ([], [])
    assert outcomes(WHOLE, nothing) == (["miss"], [])
    assert object_table(LabelPair(nothing, nothing)).empty


@given(pairs)
def test_table_has_every_object_once_and_agrees_with_masks(pair):
    reference, prediction = pair
    pair = LabelPair(reference, prediction)
    table = object_table(pair)
    ious = iou_matrix(reference, prediction)
    for side, labels, axis in (("reference", reference, 1), ("prediction", prediction, 0)):
        rows = table[table["side"] == side]
        ids, areas = np.unique(labels[labels > 0], return_counts=True)
        assert rows["id"].tolist() == ids.tolist()
        assert rows["area_px"].tolist() == areas.tolist()
        np.testing.assert_array_equal(rows["best_iou"], ious.max(axis=axis, initial=0))
        assert (rows["partner"] > 0).tolist() == (rows["outcome"] == "match").tolist()
    matched = table[table["outcome"] == "match"]
    assert (matched["side"] == "reference").sum() == (matched["side"] == "prediction").sum()
    partners = matched.set_index(["side", "id"])["partner"]
    assert all(partners["prediction", partner] == i for i, partner in partners.get("reference", {}).items())
    assert not set(table.loc[table["side"] == "reference", "outcome"]) & {"false_alarm"}
    assert not set(table.loc[table["side"] == "prediction", "outcome"]) & {"miss"}


@given(pairs)
def test_swapping_the_sides_swaps_split_and_merge_of_pure_cases(pair):
    forward = classify_objects(LabelPair(*pair))
    backward = classify_objects(LabelPair(*pair[::-1]))
    assert (forward.reference == "match").sum() == (backward.prediction == "match").sum()
    # A merge is what a split is from the other side, unless both hold, where the merge is said on both.
    assert (forward.prediction == "merge").sum() <= (
        (backward.reference == "split").sum() + (backward.reference == "merge").sum()
    )
