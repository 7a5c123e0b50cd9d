"""Kernel inception distance."""

import math
from typing import ClassVar, Literal

from pydantic import PositiveInt

from ...core.rng import Key
from ..features import PictureSet
from ..features.inception import Inception
from ..networks import WeightsFile
from ..statistics import Interval
from ._sets import Both
from .base import AbstractRealismMetric, registry
from .kernel_distance import KernelDistance


@registry.register
class Kid(AbstractRealismMetric[Both]):
    """Kernel inception distance, as published [1]_: `kernel_distance` of the features of Inception-v3, as they are.

    The kernel is (x.y / 2048 + 1)^3, without bias. Sets larger than `subset_size` are scored by the mean over 100
    random subsets. Its mean does not depend on the number of images, so it is the one to take below some thousand; it
    is noisy there, so read its interval. Papers often give it times 100 or 1000. What is said at `fid` of resizing,
    ranges of values and features of photographs holds here too.

    Range minus infinity to infinity, lower is better, 0 is what two samples of one population have on average; never
    NaN. Needs 2 images in each set.

    References
    ----------
    .. [1] M. Binkowski et al., "Demystifying MMD GANs", ICLR 2018, section 4.
    """

    kind: Literal["kid"] = "kid"
    higher_is_better: ClassVar[bool] = False
    never_named: ClassVar[tuple[str, ...]] = ("batch_size",)
    value_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    weights: WeightsFile = None
    """File of the weights of Inception-v3, or `fetch` to download the published ones once (96 MB, Apache-2.0). There
    are none by default."""

    preprocessing: Literal["pytorch_fid", "tensorflow"] = "pytorch_fid"
    """Resize and range as in pytorch-fid, or as in TensorFlow and torch-fidelity."""

    batch_size: PositiveInt = 16
    """Images that the network sees at a time; changes memory and speed alone."""

    subset_size: PositiveInt = 1000
    """Images of each set in a subset."""

    seed: int = 0
    """Of the choice of subsets."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> Both:
        return self._distance().measure(reference, candidate)

    def score(self, measured: Both) -> float:
        return self._distance().score(measured)

    def parts(self, measured: Both) -> dict[str, float]:
        return {}

    def interval(self, measured: Both, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        return self._distance().interval(measured, key=key, level=level, n_resamples=n_resamples)

    def _distance(self) -> KernelDistance:
        features = Inception(
            weights=self.weights, preprocessing=self.preprocessing, batch_size=self.batch_size
        )
        return KernelDistance(
            features=features, is_standardized=False, subset_size=self.subset_size, seed=self.seed
        )
