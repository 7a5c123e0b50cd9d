import math

import pytest

from cellsynth.report import words
from cellsynth.report.drawing import drawable, looks, spread
from cellsynth.report.methods_text import segmenter_references, without_marks


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (1234.5, "1\N{NARROW NO-BREAK SPACE}234"),
        (0.12345, "0.123"),
        (2.0, "2"),
        (-0.5, "\N{MINUS SIGN}0.5"),
        (1e-7, "1.00e\N{MINUS SIGN}07"),
        (math.nan, "\N{EN DASH}"),
        (None, "\N{EN DASH}"),
    ],
)
def test_numbers(value: float | None, said: str) -> None:
    assert words.number(value) == said


def test_zeros_at_the_end_are_kept_in_columns() -> None:
    assert words.number(0.11, is_padded=True) == "0.110"


def test_a_rounded_zero_has_no_sign() -> None:
    assert words.score(-0.001) == "0.00"
    assert words.signed(0.001) == "0.00"
    assert words.signed(0.01) == "+0.01"


def test_shares_are_not_rounded_to_certainty() -> None:
    assert words.percent(0.004).startswith("<1")
    assert words.percent(0.996).startswith(">99")
    assert words.percent(0) == "0\N{NO-BREAK SPACE}%"


def test_names_of_metrics_are_words() -> None:
    assert words.metric_name("average_precision[iou=0.75]") == "AP at IoU 0.75"
    assert words.metric_name("something_new[a=1]") == "something new (a 1)"


def test_listing() -> None:
    assert words.listing([]) == ""
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b", "c"]) == "a, b and c"


def test_labels_are_moved_apart_as_little_as_can_be() -> None:
    assert spread([0.0, 0.5, 1.0], 0.1) == pytest.approx([0.0, 0.5, 1.0])
    assert spread([0.5, 0.5, 0.5], 0.1) == pytest.approx([0.4, 0.5, 0.6])
    assert spread([], 0.1) == []


def test_every_method_has_a_look_of_its_own() -> None:
    many = [f"method {i}" for i in range(25)]
    assert len(set(looks(many).values())) == len(many)
    assert looks(many) == looks(many[::-1])


def test_figures_show_only_letters_they_have() -> None:
    assert drawable("a\N{CJK UNIFIED IDEOGRAPH-7D30}b\n") == "a?b?"
    assert len(drawable("x" * 90)) <= 34


def test_references_come_from_the_docstrings() -> None:
    (reference,) = segmenter_references("otsu")
    assert reference.startswith("N. Otsu")
    assert reference.endswith("62-66.")
    assert segmenter_references("nothing_like_it") == []
    assert without_marks("Threshold, discard by size [1]_ [2]_.") == "Threshold, discard by size."


def test_memory_below_a_megabyte_is_not_measured() -> None:
    assert [words.megabytes(v) for v in (0.004, 1.623, 250.0, None)] == [
        "<1 MB",
        "1.62 MB",
        "250 MB",
        words.NOTHING,
    ]


def test_units_are_typeset() -> None:
    said = "a pixel counts as 1 um, 3 per mm2, the sum of voxel_um"
    assert words.typeset(said) == "a pixel counts as 1 µm, 3 per mm², the sum of voxel_um"


def test_a_long_name_loses_its_middle():
    assert words.shortened("cells_01") == "cells_01"
    assert words.shortened("a" * 30 + "b" * 30) == "a" * 19 + "…" + "b" * 19
