"""Interval of a distance between two sets, by leaving out images of both in turn."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.stats import t

from ...core.rng import Key
from ..statistics.intervals import can_resolve

Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Images of the reference (n, d) and of the candidate (m, d) to one or more numbers (k,)."""

_MOST_BLOCKS = 50
"""Blocks of images that are left out in turn; sets of no more images leave out single ones."""


@dataclass(frozen=True, eq=False)
class Jackknifed:
    """Numbers of two sets, with what they owe to the finite size of both."""

    value: Float64[np.ndarray, " k"]
    bias: Float64[np.ndarray, " k"]
    margin: Float64[np.ndarray, " k"]
    """Half the width of the interval; NaN where there are too few images to say."""

    def safe_ends(self) -> tuple[float, float]:
        """Ends about the first number, both with and without its bias: that is known from the same few images."""
        middles = self.value[0], self.value[0] - self.bias[0]
        return float(min(middles) - self.margin[0]), float(max(middles) + self.margin[0])

    def safe_ends_of_square(self) -> tuple[float, float]:
        """The same for a squared distance, whose spread grows with it: the margin above is taken of its root.

        The upper end is (root of the upper middle + margin of the root)^2, but at most two margins above it, as the
        root says nothing near 0.
        """
        low, high = self.safe_ends()
        margin, middle = float(self.margin[0]), high - float(self.margin[0])
        more = margin**2 / (4 * middle) if middle > 0 else math.inf
        return low, high + min(more, margin)


def jackknifed(score: Score, x: np.ndarray, y: np.ndarray, *, key: Key, level: float) -> Jackknifed:
    """Value, bias and margin of a score by the jackknife over two independent samples [1]_.

    The score sees each pair of sets anew, so that the scale, which it takes from the reference, varies as well.
    Variances and biases of the two sides add. The margin is Student's quantile for the smaller number of blocks.

    References
    ----------
    .. [1] B. Efron, R. Tibshirani, "An introduction to the bootstrap", Chapman and Hall 1993, chapter 11; for blocks
       J. Shao, C. Wu, "A general theory for jackknife variance estimation", Ann. Stat. 17 (1989) 1176-1197.
    """
    value = score(x, y)
    if not can_resolve(min(len(x), len(y)), level):
        return Jackknifed(value, np.full(len(value), math.nan), np.full(len(value), math.nan))
    variance, bias = np.zeros(len(value)), np.zeros(len(value))
    sides = [
        np.array([score(part, y) for part in _without_each_block(x, key.child("reference"))]),
        np.array([score(x, part) for part in _without_each_block(y, key.child("candidate"))]),
    ]
    for scores in sides:
        g = len(scores)
        variance += (g - 1) / g * ((scores - scores.mean(axis=0)) ** 2).sum(axis=0)
        bias += (g - 1) * (scores.mean(axis=0) - value)
    quantile = float(t.isf((1 - level) / 2, min(map(len, sides)) - 1))
    return Jackknifed(value, bias, quantile * np.sqrt(variance))


def _without_each_block(x: np.ndarray, key: Key) -> list[np.ndarray]:
    """The images without each block in turn; who shares a block is drawn by lot, as files may come sorted."""
    n_blocks = min(len(x), _MOST_BLOCKS)
    of_block = key.generator().permutation(len(x)) % n_blocks
    return [x[of_block != block] for block in range(n_blocks)]
