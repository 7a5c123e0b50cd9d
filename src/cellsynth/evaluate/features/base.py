"""What every extractor of features is."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from jaxtyping import Float64

from ...core.registry import Plugin, Registry
from ._set import PictureSet

registry: "Registry[AbstractFeatures]" = Registry("cellsynth.evaluate.features", "kind of features")


@dataclass(frozen=True, eq=False)
class Features:
    """Features of the images of a set."""

    values: Float64[np.ndarray, "n d"]
    """One row per image, finite."""

    components: tuple[str, ...]
    """What each column is part of: columns of one name belong together."""


FeatureFn = Callable[[PictureSet], Features]


class AbstractFeatures(Plugin, ABC):
    """A way to describe an image by numbers.

    Columns depend on the config, the number of channels and of axes alone, never on the images, so that the
    features of two sets compare. A network is one more file here: it loads the weights that the user names in
    `build`, and its config says which they are.
    """

    never_named: ClassVar[tuple[str, ...]] = ()
    """Fields that do not stand in the names of metrics, because the features do not depend on them."""

    @abstractmethod
    def build(self, device: str = "cpu") -> FeatureFn:
        """Function from a set to its features."""
