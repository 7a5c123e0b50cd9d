"""Where the cells of a scene may be: a box, a ball, a shell, or the shape of a real sample."""

from .base import AbstractRegion, registry

__all__ = ["AbstractRegion", "registry"]
