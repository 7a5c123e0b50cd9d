"""Frechet inception distance."""

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
from .frechet_distance import FrechetDistance


@registry.register
class Fid(AbstractRealismMetric[Both]):
    """Frechet inception distance, as published [1]_: `frechet_distance` of the features of Inception-v3, as they are.

    Read it with care. It is too large, by more the fewer images there are: compare values of sets of equal size only,
    and say the size; papers take 10 000 to 50 000 images. Below 2048 images in a set the covariance of 2048 features
    is rank deficient, and the number mostly bias: prefer `kid`. The way of resizing alone has moved published values
    by several units, so say `preprocessing`; JPEG moves them too. Some published values are of images in [-1, 1] that
    were handed to code which takes [0, 1], and compare with no others; here `data_range` says what the values are, and
    a value out of it is refused. The features were learned from photographs: what they miss in microscopy, FID misses.
    The interval is that of `frechet_distance`: its ends are NaN below 4096 images, and above it
    takes about a hundred times as long as the value, which is minutes.

    Range 0 to infinity, lower is better; 0 for a set against itself, never NaN. Needs 2 images in each set.

    References
    ----------
    .. [1] M. Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NIPS
       2017, Eq. 6. The trace is exact where published code adds 1e-6 to the diagonal of singular covariances.
    """

    kind: Literal["fid"] = "fid"
    higher_is_better: ClassVar[bool] = False
    never_named: ClassVar[tuple[str, ...]] = ("batch_size",)
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)

    weights: WeightsFile = None
    """File of the weights of Inception-v3, or `fetch` to download the published ones once (96 MB, Apache-2.0). There
    are none by default."""

    preprocessing: Literal["pytorch_fid", "tensorflow"] = "pytorch_fid"
    """Resize and range as in pytorch-fid, or as in TensorFlow and torch-fidelity."""

    batch_size: PositiveInt = 16
    """Images that the network sees at a time; changes memory and speed alone."""

    def measure(self, reference: PictureSet, candidate: PictureSet) -> Both:
        return self._distance().measure(reference, candidate)

    def score(self, measured: Both) -> float:
        return self._distance().score(measured)

    def parts(self, measured: Both) -> dict[str, float]:
        return self._distance().parts(measured)

    def interval(self, measured: Both, *, key: Key, level: float = 0.95, n_resamples: int = 500) -> Interval:
        return self._distance().interval(measured, key=key, level=level, n_resamples=n_resamples)

    def _distance(self) -> FrechetDistance:
        features = Inception(
            weights=self.weights, preprocessing=self.preprocessing, batch_size=self.batch_size
        )
        return FrechetDistance(features=features, is_standardized=False)
