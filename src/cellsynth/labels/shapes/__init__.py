"""What the cells of a population look like: round, rough, rod-shaped, branched, as real ones, or in pieces."""

from .base import AbstractShapeKind, registry

__all__ = ["AbstractShapeKind", "registry"]
