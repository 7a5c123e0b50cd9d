"""Metrics of an image against an aligned image: how far one departs from the other."""

from ._pair import ImagePair
from .base import AbstractImageMetric, registry

__all__ = ["AbstractImageMetric", "ImagePair", "registry"]
