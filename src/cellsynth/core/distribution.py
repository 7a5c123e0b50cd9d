"""Distribution: a quantity that differs from object to object, in three short spellings."""

from typing import Any

import numpy as np
from pydantic import NonNegativeFloat, PositiveFloat, model_serializer, model_validator

from .config import Config


class Distribution(Config):
    """Positive random quantity.

    In a recipe: `5` (always), `[4, 7]` (uniform), or `{median: 5, log_sd: 0.2}` (log-normal, optionally cut
    off with `low` and `high`).

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
        if self.median is None and (self.low is None or self.high is None):
            raise ValueError("give a number, [low, high], or {median: ..., log_sd: ...}")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low {self.low} is above high {self.high}")
        return self

    @model_serializer
    def _shortest(self) -> Any:
        if self.median is None:
            return [self.low, self.high]
        if not self.log_sd and self.low is None and self.high is None:
            return self.median
        fields = {"median": self.median, "log_sd": self.log_sd, "low": self.low, "high": self.high}
        return {name: value for name, value in fields.items() if value is not None}

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw (n,) float64; cut-off values are moved to the limit, not drawn again."""
        if self.median is None:
            assert self.low is not None
            assert self.high is not None
            return rng.uniform(self.low, self.high, n)
        values = self.median * np.exp(self.log_sd * rng.standard_normal(n))
        return np.clip(values, self.low, self.high)

    @property
    def mean(self) -> float:
        """Expected value; the cut-off of a log-normal law is left out of account."""
        if self.median is None:
            assert self.low is not None
            assert self.high is not None
            return (self.low + self.high) / 2
        return self.median * float(np.exp(self.log_sd**2 / 2))

    @property
    def upper(self) -> float:
        """Value that hardly any draw exceeds: the limit, or three standard deviations."""
        if self.median is None or (self.high is not None):
            assert self.high is not None
            return self.high
        return self.median * float(np.exp(3 * self.log_sd))
