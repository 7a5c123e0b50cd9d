"""How the cells of a scene stand to each other: free, packed, in clusters."""

from .base import AbstractArrangement, Arranged, Bodies, registry

__all__ = ["AbstractArrangement", "Arranged", "Bodies", "registry"]
