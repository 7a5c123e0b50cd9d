"""Features of images: what a set of images is compared by with another set."""

from ._set import PictureSet
from .base import AbstractFeatures, FeatureFn, Features, registry

__all__ = ["AbstractFeatures", "FeatureFn", "Features", "PictureSet", "registry"]
