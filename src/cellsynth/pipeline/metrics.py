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
        One metric, for its whole card; `detection/f1` where several families have one. Without it, a line for each.
    quiet
        Print nothing; for use from Python.
    """
    import sys

    from ..evaluate.cards import metric_cards

    cards = metric_cards(None if name is None else str(name))
    if quiet:
        return cards
    if name is not None:
        sys.stdout.write("\n".join(card.to_text() for card in cards))
        return cards
    width = max(len(card.kind) for card in cards)
    family = ""
    for card in cards:
        if card.family != family:
            family = card.family
            sys.stdout.write(f"\n{family}\n")
        arrow = "higher" if card.higher_is_better else "lower"
        sys.stdout.write(f"  {card.kind:{width}}  {arrow:6}  {card.definition}\n")
    return cards
