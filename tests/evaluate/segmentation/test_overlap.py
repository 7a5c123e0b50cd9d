"""Overlap and LabelPair: the table against masks, its sums over blocks, and what is refused."""

import numpy as np
import pytest
from hypothesis import given

from cellsynth.core.errors import InputError
from cellsynth.evaluate.segmentation import LabelPair, Overlap
from tests.evaluate.brute_force import iou_matrix
from tests.evaluate.label_fields import SPARSE_IDS, pairs, random_pair, square, voronoi


@given(pairs)
def test_areas_and_ious_equal_those_of_masks(pair):
    reference, prediction = pair
    overlap = LabelPair(reference, prediction).overlap
    for labels, ids, areas in (
        (reference, overlap.reference_ids, overlap.reference_areas_px),
        (prediction, overlap.prediction_ids, overlap.prediction_areas_px),
    ):
        expected_ids, expected_areas = np.unique(labels[labels > 0], return_counts=True)
        np.testing.assert_array_equal(ids, expected_ids)
        np.testing.assert_array_equal(areas, expected_areas)
    ious = np.zeros((len(overlap.reference_ids), len(overlap.prediction_ids)))
    ious[overlap.pair_reference, overlap.pair_prediction] = overlap.pair_ious
    np.testing.assert_array_equal(ious, iou_matrix(reference, prediction))
    assert overlap.n_voxels == reference.size


@given(pairs)
def test_tables_of_blocks_add_up_to_the_table_of_the_volume(pair):
    reference, prediction = pair
    cut = reference.shape[0] // 2
    whole = Overlap.of(reference, prediction)
    parts = Overlap.of(reference[:cut], prediction[:cut]) + Overlap.of(reference[cut:], prediction[cut:])
    np.testing.assert_array_equal(parts.keys, whole.keys)
    np.testing.assert_array_equal(parts.counts, whole.counts)


def test_more_combinations_than_the_first_table_holds_are_all_counted():
    n = 30_011
    first = np.arange(n, dtype=np.int32).reshape(1, -1)
    second = np.arange(n, dtype=np.int32)[::-1].copy().reshape(1, -1)
    overlap = Overlap.of(first, second)
    assert len(overlap.keys) == n
    assert (overlap.counts == 1).all()


@pytest.mark.parametrize(
    "dtype",
    [np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64],
    ids=lambda d: d.__name__,
)
def test_every_integer_width_gives_the_same_table(dtype):
    reference, prediction = random_pair(5)
    assert reference.max() > 0
    expected = Overlap.of(reference, prediction)
    overlap = LabelPair(reference.astype(dtype), prediction).overlap
    np.testing.assert_array_equal(overlap.keys, expected.keys)
    np.testing.assert_array_equal(overlap.counts, expected.counts)


@pytest.mark.parametrize("top", [65_536, 2**31 - 1, 2**31, 2**32 - 1])
def test_large_ids_are_kept(top):
    labels = np.zeros((3, 5), np.int64)
    labels[1, 1:3], labels[0, 4] = top, 7
    overlap = LabelPair(labels, labels).overlap
    assert overlap.reference_ids.tolist() == [7, top]
    assert overlap.prediction_ids.tolist() == [7, top]
    assert overlap.reference_areas_px.tolist() == [1, 2]


def test_views_that_are_not_contiguous_are_read_in_their_own_order():
    reference, prediction = random_pair(11)
    view = Overlap.of(reference.T[::-1], prediction.T[::-1])
    np.testing.assert_array_equal(view.counts, Overlap.of(reference, prediction).counts)


def test_objects_at_the_border_are_known_on_every_side():
    reference = np.zeros((5, 7, 9), np.int32)
    reference[2, 3, 4] = 1  # inside
    for i, place in enumerate([(0, 3, 4), (4, 3, 4), (2, 0, 4), (2, 6, 4), (2, 3, 0), (2, 3, 8)], start=2):
        reference[place] = i * 10
    pair = LabelPair(reference, np.where(reference == 1, 5, 0))
    assert pair.reference_at_border.tolist() == [False] + [True] * 6
    assert pair.prediction_at_border.tolist() == [False]


def test_a_single_pixel_is_an_image():
    overlap = LabelPair(np.array([[4]]), np.array([[9]])).overlap
    assert overlap.pair_ious.tolist() == [1.0]


def test_overlap_needs_memory_for_what_occurs_only():
    # 3,000 by 3,000 objects of one row each; a dense table would be 9 million entries.
    labels = np.repeat(np.arange(3_000, dtype=np.int32), 5).reshape(-1, 5)
    overlap = Overlap.of(labels, np.roll(labels, 1, axis=0))
    assert len(overlap.keys) == 3_000


def test_sparse_ids_of_the_fields_are_as_large_as_they_should_be():
    assert SPARSE_IDS.max() == 2**31 - 1
    assert voronoi(np.random.default_rng(0), (9, 11), 0).max() == 0


LABELS = square((9, 11), (2, 3, 4, 5))


@pytest.mark.parametrize(
    ("reference", "prediction", "message"),
    [
        (LABELS, LABELS[:-1], r"differ in shape: \(9, 11\) and \(8, 11\)"),
        (LABELS.astype(float), LABELS, "reference is float64"),
        (LABELS, LABELS > 0, "prediction is bool"),
        (-LABELS, LABELS, "negative id -1"),
        (LABELS[0], LABELS[0], "1 axes"),
        (LABELS[None, None], LABELS[None, None], "4 axes"),
        (LABELS[:0], LABELS[:0], "no voxel"),
        (LABELS, LABELS.astype(np.int64) * 2**32, "id 4294967296"),
        (LABELS, LABELS.astype(np.uint64) * 2**63, "id 9223372036854775808"),
    ],
)
def test_what_is_not_a_pair_of_labels_is_refused(reference, prediction, message):
    with pytest.raises(InputError, match=message):
        LabelPair(reference, prediction)


@pytest.mark.parametrize("voxel_um", [(0.5,), (0.5, 0.0), (1.0, 1.0, 1.0)])
def test_a_voxel_size_needs_one_positive_number_per_axis(voxel_um):
    with pytest.raises(InputError, match="each of the 2 axes"):
        LabelPair(LABELS, LABELS, voxel_um)
