"""Score tables: tidy rows in, wide matrices and summaries out, failures told from the undefined."""

import math

import numpy as np
import pandas as pd
import pytest

from cellsynth.core.errors import InputError
from cellsynth.core.rng import Key
from cellsynth.evaluate.segmentation import LabelPair, registry
from cellsynth.evaluate.table import (
    SCORE_COLUMNS,
    default_metrics,
    failure_rows,
    measure_pair,
    pooled_scores,
    score_pair,
    score_rows,
    score_table,
    summary_table,
    threshold_metrics,
    wide_scores,
)
from tests.evaluate.label_fields import random_pair, square

AP = registry.parse("average_precision")


def test_default_metrics_have_names_of_their_own_and_lead_with_average_precision():
    names = [metric.name for metric in default_metrics()]
    assert names[0] == "average_precision[iou=0.5]"
    assert len(set(names)) == len(names)


def test_a_pair_is_scored_by_every_metric_asked_for():
    pair = LabelPair(*random_pair(8))
    metrics = threshold_metrics("f1")
    scores = score_pair(pair, metrics)
    assert list(scores) == [metric.name for metric in metrics]
    assert list(scores)[-1] == "f1[iou=0.95]"
    assert list(score_pair(pair)) == [metric.name for metric in default_metrics()]


def test_pooled_score_weighs_objects_and_the_mean_weighs_images():
    one = LabelPair(square((9, 31), (1, 1, 3, 3)), np.zeros((9, 31), np.int32))
    three = square((9, 31), (1, 1, 3, 3), (1, 8, 3, 3), (1, 15, 3, 3))
    pairs = [one, LabelPair(three, three)]
    assert pooled_scores([measure_pair(p) for p in pairs])[AP.name] == pytest.approx(3 / 4)
    assert np.mean([score_pair(p)[AP.name] for p in pairs]) == pytest.approx(1 / 2)


def test_pooled_score_of_one_image_is_its_score_and_of_none_is_undefined():
    pair = LabelPair(*random_pair(8))
    assert pooled_scores([measure_pair(pair)]) == score_pair(pair)
    assert all(math.isnan(value) for value in pooled_scores([]).values())


def table():
    rows = []
    for i, (good, bad) in enumerate([(0.9, 0.5), (0.8, 0.4), (0.7, math.nan), (1.0, 0.6), (0.6, 0.2)]):
        rows += score_rows("synthetic", "good", f"{i}", {AP.name: good, "count_error": 1 - good})
        if i != 3:
            rows += score_rows("synthetic", "bad", f"{i}", {AP.name: bad, "count_error": 1 - bad})
    rows += failure_rows("synthetic", "bad", "3", [AP, registry.parse("count_error")])
    rows += score_rows("real", "good", "a", {AP.name: 0.5})
    return score_table(rows)


def test_table_has_its_columns_even_when_empty():
    assert tuple(table().columns) == SCORE_COLUMNS
    assert tuple(score_table([]).columns) == SCORE_COLUMNS


def test_wide_matrix_tells_a_failure_from_an_undefined_score():
    values, failed = wide_scores(table(), AP.name, "synthetic")
    assert values.columns.tolist() == ["good", "bad"]
    assert values.index.tolist() == ["0", "1", "2", "3", "4"]
    assert values["bad"].isna().tolist() == [False, False, True, True, False]
    assert failed["bad"].tolist() == [False, False, False, True, False]
    assert not failed["good"].any()


def test_an_image_that_a_method_has_no_row_for_counts_as_failed():
    rows = table()
    rows = rows[~((rows["method"] == "bad") & (rows["image"] == "4"))]
    _, failed = wide_scores(rows, AP.name, "synthetic")
    assert failed["bad"].tolist() == [False, False, False, True, True]


def test_a_score_that_is_not_there_is_an_error_that_lists_what_is():
    with pytest.raises(
        InputError, match=r"no score of 'dice' with origin 'real'; there are average_precision"
    ):
        wide_scores(table(), "dice", "real")


def test_an_image_scored_twice_is_an_error():
    rows = score_rows("real", "good", "a", {AP.name: 0.5})
    with pytest.raises(InputError, match="good on a .real. is there twice"):
        score_table(rows + rows)


def test_summary_counts_failures_as_worst_and_leaves_out_what_is_undefined(key: Key):
    summary = summary_table(table(), [AP, registry.parse("count_error")], key=key)
    by = summary.set_index(["origin", "method", "metric"])
    bad = by.loc["synthetic", "bad", AP.name]
    assert bad["mean"] == pytest.approx((0.5 + 0.4 + 0 + 0.2) / 4)
    assert (bad["n"], bad["n_failed"]) == (4, 1)
    assert np.isnan(bad[["low", "high"]].astype(float)).all()  # four are too few
    # No end of its range is worst for a count error, so the failure gets the worst that was seen, 0.8.
    assert by.loc["synthetic", "bad", "count_error"]["mean"] == pytest.approx((0.5 + 0.6 + 0.8 + 0.8) / 4)
    real = by.loc["real", "good", AP.name]
    assert real["mean"] == 0.5
    assert np.isnan(real[["low", "high"]].astype(float)).all()  # one image says nothing about others
    assert ("real", "good", "count_error") not in by.index


def test_summary_is_the_same_for_the_same_key(key: Key):
    first, second = (summary_table(table(), [AP], key=key) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
