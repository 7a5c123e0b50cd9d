"""What may be concluded from scores: intervals, rankings, paired tests, agreement of rankings."""

from .agreement import Agreement, ranking_agreement
from .intervals import Interval, bootstrap_interval
from .paired import Gain, holm, paired_gain, paired_tests
from .ranking import Ranking, rank_methods

__all__ = [
    "Agreement",
    "Gain",
    "Interval",
    "Ranking",
    "bootstrap_interval",
    "holm",
    "paired_gain",
    "paired_tests",
    "rank_methods",
    "ranking_agreement",
]
