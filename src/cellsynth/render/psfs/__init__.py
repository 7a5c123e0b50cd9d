"""Point spread functions: how a microscope spreads the light of a point in a volume."""

from .base import AbstractPsf, Kernel, registry

__all__ = ["AbstractPsf", "Kernel", "registry"]
