"""Metrics of points against points: which were found, which missed, and how far off."""

from ._matching import PointMatching
from ._pair import PointPair
from .base import AbstractDetectionMetric, registry

__all__ = ["AbstractDetectionMetric", "PointMatching", "PointPair", "registry"]
