"""Say what the metrics are."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evaluate.cards import MetricCard


def show_metrics(name: Path | str | None = None, *, quiet: bool = False) -> "tuple[MetricCard, ...]":
    """Say what a metric measures, its range, its edge cases and its source.

    Parameters
    ----------
    name
        One metric, for its whole card; without it, a line for each.
    quiet
        Print nothing; for use from Python.
    """
    import sys

    from ..evaluate.cards import metric_card, metric_cards

    cards = metric_cards() if name is None else (metric_card(str(name)),)
    if quiet:
        return cards
    if name is None:
        width = max(len(card.kind) for card in cards)
        for card in cards:
            arrow = "higher" if card.higher_is_better else "lower"
            sys.stdout.write(f"{card.kind:{width}}  {arrow:6}  {card.definition}\n")
    else:
        sys.stdout.write(cards[0].to_text())
    return cards
