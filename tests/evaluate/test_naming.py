"""Names that lead back to their metric, and lists of them."""

import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.evaluate.naming import parse_metric, parse_metrics
from cellsynth.evaluate.segmentation import registry


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("dice", {"kind": "dice"}),
        ("f1[iou=0.7]", {"kind": "f1", "iou": 0.7}),
        (" f1 [ iou = 0.7 ] ", {"kind": "f1", "iou": 0.7}),
        ("mean_average_precision[ious=0.5/0.75]", {"kind": "mean_average_precision", "ious": [0.5, 0.75]}),
        ("{kind: f1, iou: 0.7}", {"kind": "f1", "iou": 0.7}),
        ("mean_average_precision[ious=0.5]", {"kind": "mean_average_precision", "ious": [0.5]}),
        (
            "boundary_f1[tolerance_um=2,of=objects]",
            {"kind": "boundary_f1", "tolerance_um": 2, "of": "objects"},
        ),
    ],
)
def test_a_name_is_a_metric(name, values):
    assert parse_metric(name) == registry.parse(values)
    assert parse_metric(parse_metric(name).name) == parse_metric(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "not of the form"),
        ("f1[iou=0.7", "not of the form"),
        ("dise", "did you mean 'dice'"),
        ("f1[iuo=0.7]", "did you mean 'iou'"),
        ("f1[iou]", "not of the form field=value"),
        ("f1[iou=high]", "iou: "),
        ("f1[iou=7]", "less than or equal to 1"),
        ("{kind: f1, iuo: 0.7}", "did you mean 'iou'"),
        ("{kind: f1", "line 1"),
        ("{iou: 0.7}", "needs a kind"),
    ],
)
def test_what_is_no_metric_is_refused(name, message):
    with pytest.raises(RecipeError, match=message):
        parse_metric(name)


def test_a_list_is_split_at_commas_outside_of_brackets():
    text = "dice, boundary_f1[tolerance_um=2,of=objects],{kind: mean_average_precision, ious: [0.5, 0.75]}"
    assert [metric.name for metric in parse_metrics(text)] == [
        "dice",
        "boundary_f1[tolerance_um=2,of=objects]",
        "mean_average_precision[ious=0.5/0.75]",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "separated by commas"), ("dice,,f1", "separated by commas"), ("f1,f1[iou=0.5]", "there twice")],
)
def test_what_is_no_list_is_refused(text, message):
    with pytest.raises(RecipeError, match=message):
        parse_metrics(text)
