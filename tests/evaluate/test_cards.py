"""Cards of metrics."""

import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.evaluate.cards import metric_cards
from cellsynth.evaluate.families import FAMILIES


def test_there_is_a_card_for_every_metric():
    cards = metric_cards()
    for family, registry in FAMILIES.items():
        assert [card.kind for card in cards if card.family == family] == registry.names()
    assert all(card.definition and card.to_text() for card in cards)


def test_a_kind_of_several_families_has_several_cards():
    assert {card.family for card in metric_cards("f1")} == {"segmentation", "detection"}
    assert [card.family for card in metric_cards("detection/f1")] == ["detection"]


def test_an_unknown_metric_suggests_the_right_one():
    with pytest.raises(RecipeError, match="psnr"):
        metric_cards("pnsr")


def test_card_is_read_from_the_class():
    card = metric_cards("boundary_f1")[0]
    assert card.definition.startswith("Harmonic mean of the shares of either outline")
    assert card.notes[0].startswith("The tolerance is in um")
    assert card.edge_cases == "Range 0 to 1; NaN when neither side has an outline, 0 when one side has none."
    assert [p.name for p in card.parameters] == ["tolerance_um", "of"]
    assert len(card.sources) == 2
    assert card.sources[0].startswith("G. Csurka")
    assert card.direction == "higher is better"


def test_text_has_every_part_and_fits_the_width():
    text = metric_cards("matthews_correlation")[0].to_text(width=80)
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        "range       -1 to 1, higher is better",
        "both empty  1",
        "edge cases  Range",
        "source      B. ",
    ):
        assert part in text
    assert "both empty  undefined (NaN)" in metric_cards("dice")[0].to_text()
