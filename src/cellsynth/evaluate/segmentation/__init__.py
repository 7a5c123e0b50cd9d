"""Metrics of labels against labels, all from one sparse overlap table of the pair."""

from ._overlap import Overlap
from ._pair import LabelPair
from .base import AbstractMetric, registry

__all__ = ["AbstractMetric", "LabelPair", "Overlap", "registry"]
