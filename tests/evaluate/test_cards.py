"""Cards of metrics."""

from cellsynth.evaluate.cards import metric_card, metric_cards
from cellsynth.evaluate.segmentation import registry


def test_there_is_a_card_for_every_metric():
    assert [card.kind for card in metric_cards()] == registry.names()


def test_card_is_read_from_the_class():
    card = metric_card("boundary_f1")
    assert card.definition.startswith("Harmonic mean of the shares of either outline")
    assert card.notes[0].startswith("The tolerance is in um")
    assert card.edge_cases == "Range 0 to 1; NaN when neither side has an outline, 0 when one side has none."
    assert [p.name for p in card.parameters] == ["tolerance_um", "of"]
    assert len(card.sources) == 2
    assert card.sources[0].startswith("G. Csurka")
    assert card.direction == "higher is better"


def test_text_has_every_part_and_fits_the_width():
    text = metric_card("matthews_correlation").to_text(width=80)
    assert max(map(len, text.splitlines())) <= 80
    for part in (
        "range       -1 to 1, higher is better",
        "both empty  1",
        "edge cases  Range",
        "source      B. ",
    ):
        assert part in text
    assert "both empty  undefined (NaN)" in metric_card("dice").to_text()
