"""What is added to the cells of a finished scene, whatever made them: spots."""

from .base import AbstractPart, PartFn, registry

__all__ = ["AbstractPart", "PartFn", "registry"]
