"""What may be concluded from scores: intervals, rankings, paired tests, agreement of rankings."""

from .agreement import Agreement, ranking_agreement
from .critical_difference import CriticalDifference, critical_difference
from .intervals import Interval, bootstrap_interval, mean, ratio, share_interval
from .paired import Gain, holm, paired_gain, paired_tests
from .power import MOST, Power, images_needed, smallest_difference
from .ranking import Ranking, rank_methods

__all__ = [
    "MOST",
    "Agreement",
    "CriticalDifference",
    "Gain",
    "Interval",
    "Power",
    "Ranking",
    "bootstrap_interval",
    "critical_difference",
    "holm",
    "images_needed",
    "mean",
    "paired_gain",
    "paired_tests",
    "rank_methods",
    "ranking_agreement",
    "ratio",
    "share_interval",
    "smallest_difference",
]
