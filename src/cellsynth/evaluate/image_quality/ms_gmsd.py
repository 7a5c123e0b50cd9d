"""Gradient magnitude similarity deviation over several scales."""

import math
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Interval, MinLen
from pydantic import PositiveFloat

from ...core.errors import InputError
from ._filters import average_pool, gradient_magnitude, luminance, similarity, to_yiq
from ._pair import ImagePair, require_2d, require_size
from .base import AbstractImageMetric, ScoreSum, registry

_TOP = 255.0


@registry.register
class MsGmsd(AbstractImageMetric[ScoreSum]):
    """Spread of the similarity of gradients over four scales of luminance [1]_.

    At each scale the standard deviation of ((2 - m) a b + c) / (a^2 + b^2 - m a b + c), a and b the magnitudes of
    Prewitt's gradient; then the root of the weighted mean of their squares. A departure that is alike
    everywhere does not show: it is the spread that counts.

    Range 0 to 0.5, with chrominance to infinity but rarely above 0.5; lower is better, 0 for identical images, never
    NaN. Grey or RGB, 2D.

    References
    ----------
    .. [1] B. Zhang, P. Sander, A. Bovik, "Gradient magnitude similarity deviation on multiple scales for color
       image quality assessment", ICASSP 2017; constants for values of 0 to 255.
    """

    kind: Literal["ms_gmsd"] = "ms_gmsd"
    higher_is_better: ClassVar[bool] = False
    value_range: ClassVar[tuple[float, float]] = (0.0, math.inf)

    is_chromatic: bool = False
    """MS-GMSDc: where the luminance agrees, the difference of the chrominances I and Q counts as well, at the coarsest
    scale. RGB only."""

    weights: Annotated[tuple[PositiveFloat, ...], MinLen(1)] = (0.096, 0.596, 0.289, 0.019)
    """Of each scale, the finest first."""

    masking: Annotated[float, Interval(ge=0, lt=2)] = 0.5
    """Masking of weak gradients by strong ones, alpha."""

    c: PositiveFloat = 170.0
    """Steadies the comparison of flat places."""

    beta1: PositiveFloat = 0.01
    """Weight of the chrominance."""

    beta2: PositiveFloat = 0.32
    """How much luminance decides where it agrees."""

    beta3: PositiveFloat = 15.0
    """How fast luminance takes over."""

    def measure(self, pair: ImagePair) -> ScoreSum:
        require_2d(pair, "MS-GMSD")
        n_scales = len(self.weights)
        require_size(pair, 3 * 2 ** (n_scales - 1), f"{n_scales} scales of gradients")
        x, y = luminance(pair.reference) * _TOP, luminance(pair.candidate) * _TOP
        total = 0.0
        for scale, weight in enumerate(self.weights):
            if scale:
                x, y = average_pool(x, 2), average_pool(y, 2)
            alike = similarity(gradient_magnitude(x[0]), gradient_magnitude(y[0]), self.c, self.masking)
            total += weight * float(alike.var())
        value = float(np.sqrt(total))
        return ScoreSum(self._with_chroma(value, pair) if self.is_chromatic else value, 1)

    def score(self, counts: ScoreSum) -> float:
        return counts.mean

    def _with_chroma(self, value: float, pair: ImagePair) -> float:
        if len(pair.reference) != 3:
            raise InputError("chromatic MS-GMSD needs RGB images; a grey image has no chrominance")
        error = _TOP * (to_yiq(pair.reference)[1:] - to_yiq(pair.candidate)[1:])
        for _ in self.weights[1:]:
            error = average_pool(error, 2)
        chroma = float(np.sqrt((error**2).mean(axis=(1, 2)).sum()))
        share = 2 / (1 + self.beta2 * float(np.exp(-self.beta3 * value))) - 1
        return share * value + (1 - share) * self.beta1 * chroma
