"""Count: a whole number that differs from cell to cell, in three short spellings."""

from typing import Any

import numpy as np
from jaxtyping import Integer
from pydantic import Field, NonNegativeFloat, NonNegativeInt, model_serializer, model_validator
from scipy.special import gammaln, xlogy

from .config import Config

MOST = 100_000
"""Largest number; a table of its probabilities is made."""


class Count(Config):
    """Random whole number from 0.

    In a recipe: `5` (always), `[2, 9]` (each from 2 to 9 as often), or `{mean: 6}` (Poisson), with `{mean: 6, fano: 3}`
    for counts that vary more, as those of RNA of genes that are on and off do (negative binomial).
    """

    low: NonNegativeInt | None = None
    """Smallest number, as likely as any up to `high`."""

    high: NonNegativeInt | None = None
    """Largest number."""

    mean: NonNegativeFloat | None = None
    """Expected number, instead of a range."""

    fano: float = Field(default=1.0, ge=1, le=1000)
    """Variance over mean: 1 for Poisson."""

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, data: Any) -> Any:
        if isinstance(data, int | float) and not isinstance(data, bool):
            return {"low": data, "high": data}
        if isinstance(data, list | tuple):
            if len(data) != 2:
                raise ValueError(f"a range has two numbers, [fewest, most]; saw {list(data)}")
            return {"low": data[0], "high": data[1]}
        return data

    @model_validator(mode="after")
    def _check_range(self) -> "Count":
        is_range = self.low is not None and self.high is not None
        if is_range == (self.mean is not None) or (self.low is None) != (self.high is None):
            raise ValueError("give a number, [fewest, most], {mean: ...} or {mean: ..., fano: ...}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"fewest {self.low} is above most {self.high}")
        if is_range and self.fano != 1:
            raise ValueError("fano goes with a mean, not with a range")
        if max(self.high or 0, self.mean or 0) > MOST:
            raise ValueError(f"numbers up to {MOST} are accepted; saw {self.high or self.mean:g}")
        return self

    @model_serializer
    def _shortest(self) -> Any:
        if self.mean is not None:
            return {"mean": self.mean} if self.fano == 1 else {"mean": self.mean, "fano": self.fano}
        return self.low if self.low == self.high else [self.low, self.high]

    def at(self, share: np.ndarray) -> Integer[np.ndarray, "..."]:
        """Smallest number that a share (0 to 1) of all draws does not exceed; int64."""
        if self.mean is None:
            assert self.low is not None
            assert self.high is not None
            return self.low + np.minimum(share * (self.high - self.low + 1), self.high - self.low).astype(
                np.int64
            )
        if self.mean == 0:
            return np.zeros(np.shape(share), np.int64)
        reach = self.mean + 12 * np.sqrt(self.mean * self.fano) + 30 * self.fano
        k = np.arange(int(reach) + 1)
        cumulative = np.cumsum(np.exp(_log_probability(k, self.mean, self.fano)))
        found = np.searchsorted(cumulative, np.asarray(share) * cumulative[-1], side="right")
        return np.minimum(found, k[-1]).astype(np.int64)


def _log_probability(k: np.ndarray, mean: float, fano: float) -> np.ndarray:
    """Poisson, or the negative binomial whose variance is `fano` times its mean."""
    if fano == 1:
        return xlogy(k, mean) - mean - gammaln(k + 1)
    size = mean / (fano - 1)
    log_choose = gammaln(k + size) - gammaln(size) - gammaln(k + 1)
    return log_choose - size * np.log(fano) + xlogy(k, 1 - 1 / fano)
