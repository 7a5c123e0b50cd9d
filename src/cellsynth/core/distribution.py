"""Distribution: a quantity that differs from object to object, in four short spellings."""

from typing import Any

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, model_serializer, model_validator
from scipy.special import ndtri

from .config import Config


class Distribution(Config):
    """Positive random quantity.

    In a recipe: `5` (always), `[4, 7]` (uniform), `{median: 5, log_sd: 0.2}` (log-normal, optionally cut off
    with `low` and `high`), or `{quantiles: [2, 4, 5, 9]}` (as measured: values at evenly spaced shares from the
    smallest to the largest).

    >>> Distribution.parse({"median": 5.0, "log_sd": 0.1}).mean > 5
    True
    """

    median: PositiveFloat | None = None
    """Median of the log-normal law; none for the uniform law."""

    log_sd: NonNegativeFloat = 0.0
    """Standard deviation of the natural logarithm; 0 is a constant."""

    low: NonNegativeFloat | None = None
    """Smallest value."""

    high: PositiveFloat | None = None
    """Largest value."""

    quantiles: tuple[PositiveFloat, ...] | None = None
    """Values at shares 0, 1/(n-1), ..., 1, ascending; straight lines between their logarithms."""

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, data: Any) -> Any:
        if isinstance(data, int | float) and not isinstance(data, bool):
            return {"median": data}
        if isinstance(data, list | tuple):
            if len(data) != 2:
                raise ValueError(f"a range has two numbers, [low, high]; saw {list(data)}")
            return {"low": data[0], "high": data[1]}
        return data

    @model_validator(mode="after")
    def _check_range(self) -> "Distribution":
        if self.quantiles is not None:
            if self.median is not None or self.low is not None or self.high is not None or self.log_sd:
                raise ValueError("quantiles say all; leave out median, log_sd, low and high")
            if len(self.quantiles) < 2 or list(self.quantiles) != sorted(self.quantiles):
                raise ValueError(f"quantiles are two or more ascending values; saw {list(self.quantiles)}")
            return self
        if self.median is None and (self.low is None or self.high is None):
            raise ValueError("give a number, [low, high], {median: ..., log_sd: ...} or {quantiles: [...]}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self

    @model_serializer
    def _shortest(self) -> Any:
        if self.quantiles is not None:
            return {"quantiles": list(self.quantiles)}
        if self.median is None:
            return [self.low, self.high]
        if not self.log_sd and self.low is None and self.high is None:
            return self.median
        fields = {"median": self.median, "log_sd": self.log_sd, "low": self.low, "high": self.high}
        return {name: value for name, value in fields.items() if value is not None}

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw (n,) float64."""
        return self.at(rng.random(n))

    def at(self, share: np.ndarray) -> np.ndarray:
        """Value that a share (0 to 1) of all draws stays below; cut-off values are moved to the limit."""
        if self.quantiles is not None:
            shares = np.linspace(0, 1, len(self.quantiles))
            return np.exp(np.interp(share, shares, np.log(self.quantiles)))
        if self.median is None:
            assert self.low is not None
            assert self.high is not None
            return self.low + (self.high - self.low) * share
        # Six standard deviations are as far as a share of 1e-9 reaches.
        normal = ndtri(np.clip(share, 1e-9, 1 - 1e-9))
        return np.clip(self.median * np.exp(self.log_sd * normal), self.low, self.high)

    @property
    def mean(self) -> float:
        """Expected value; the cut-off of a log-normal law is left out of account."""
        if self.median is not None:
            return self.median * float(np.exp(self.log_sd**2 / 2))
        return float(self.at(np.linspace(0.005, 0.995, 100)).mean())

    @property
    def upper(self) -> float:
        """Value that hardly any draw exceeds: the limit, or three standard deviations."""
        if self.median is not None and self.high is None:
            return self.median * float(np.exp(3 * self.log_sd))
        return float(self.at(np.array([1.0]))[0]) if self.high is None else self.high
