"""Metrics of a set of images against a set: does one look as if drawn from the other?"""

from .base import AbstractRealismMetric, registry

__all__ = ["AbstractRealismMetric", "registry"]
