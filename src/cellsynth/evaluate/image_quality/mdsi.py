"""Mean deviation similarity index."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval
from pydantic import PositiveFloat

from ._filters import average_pool, gradient_magnitude, similarity
from ._pair import ImagePair, require_2d, require_size
from .base import AbstractImageMetric, ScoreSum, registry

_LHM = np.array([[0.2989, 0.587, 0.114], [0.3, 0.04, -0.35], [0.34, -0.6, 0.17]])
_REDUCED_TO_PX = 256


@registry.register
class Mdsi(AbstractImageMetric[ScoreSum]):
    """Deviation of the similarity of gradients and chromaticity [1]_.

    With a, b, f the gradient magnitudes of the luminance of the reference, of the candidate and of their mean, the
    gradient similarity is S(a, b; c1) + S(a, f; c2) - S(b, f; c2); it can be negative, and its power is complex then.
    It is not symmetric. Images are first averaged to a short side of about 256 pixels. Constants are for values
    of 0 to 255. A grey image stands for RGB with equal channels.

    Range 0 to 1 in practice, without an upper end; lower is better, 0 for identical images, never NaN. 2D.

    References
    ----------
    .. [1] H. Ziaei Nafchi et al., "Mean deviation similarity index: efficient and reliable full-reference image
       quality evaluator", IEEE Access 4 (2016) 5579-5590, Eq. 4 to 13.
    """

    kind: Literal["mdsi"] = "mdsi"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)

    gradient_weight: Annotated[float, Interval(ge=0, le=1)] = 0.6
    """Weight of the gradients; chromaticity has the rest."""

    c1: PositiveFloat = 140.0
    """Steadies the comparison of both gradients."""

    c2: PositiveFloat = 55.0
    """Steadies that of each gradient with the gradient of the mean image."""

    c3: PositiveFloat = 550.0
    """Steadies that of chromaticities."""

    power: PositiveFloat = 0.25
    """Exponent of the similarity, and of the deviation."""

    def measure(self, pair: ImagePair) -> ScoreSum:
        require_2d(pair, "MDSI")
        require_size(pair, 3, "gradients")
        k = max(1, round(min(pair.shape_px) / _REDUCED_TO_PX))
        (l1, h1, m1), (l2, h2, m2) = (
            average_pool(np.tensordot(_LHM, 255 * _rgb(image), axes=1), k)
            for image in (pair.reference, pair.candidate)
        )
        a, b, f = gradient_magnitude(l1), gradient_magnitude(l2), gradient_magnitude((l1 + l2) / 2)
        gradients = similarity(a, b, self.c1) + similarity(a, f, self.c2) - similarity(b, f, self.c2)
        colours = (2 * (h1 * h2 + m1 * m2) + self.c3) / (h1**2 + h2**2 + m1**2 + m2**2 + self.c3)
        alike = self.gradient_weight * gradients + (1 - self.gradient_weight) * colours
        powers = alike.astype(complex) ** self.power
        return ScoreSum(float(np.abs(powers - powers.mean()).mean() ** self.power), 1)

    def score(self, counts: ScoreSum) -> float:
        return counts.mean


def _rgb(image: np.ndarray) -> np.ndarray:
    return image if len(image) == 3 else np.repeat(image, 3, axis=0)
