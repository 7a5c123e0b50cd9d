"""Claim: one measured number beside what it has to reach; a line of JSON."""

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

Interval = tuple[float, float]


@dataclass(frozen=True)
class Claim:
    """One measured number.

    The number that has to meet `target` is `ratio` where there is a `reference`, and `value` where there is none;
    `interval` (95 %) belongs to the same number.
    """

    claim: str
    """What is claimed, with its unit, in words that a table can show."""

    value: float | None
    """Measured; None where it could not be."""

    interval: Interval | None = None

    reference: float | None = None
    """The other side of a comparison, in the unit of `value`."""

    ratio: float | None = None
    """How many times better `value` is than `reference`."""

    target: float | Interval | None = None
    """One number, or the two between which it has to lie."""

    direction: Literal["at least", "at most"] = "at least"
    """How the number must stand to a target of one number."""

    seconds: float | None = None
    """How long it took to measure; the runner fills it in."""

    peak_mb: float | None = None
    """Largest resident memory of what was measured; the runner fills in that of its own process."""

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None where nothing was measured or nothing is asked."""
        number = self.value if self.ratio is None else self.ratio
        if number is None or self.target is None:
            return None
        if isinstance(self.target, tuple):
            return self.target[0] <= number <= self.target[1]
        return number >= self.target if self.direction == "at least" else number <= self.target

    def measured_with(self, seconds: float, peak_mb: float) -> "Claim":
        """Copy with the cost of measuring filled in where it is not known yet."""
        return replace(
            self,
            seconds=seconds if self.seconds is None else self.seconds,
            peak_mb=peak_mb if self.peak_mb is None else self.peak_mb,
        )

    def to_json(self) -> str:
        """One line; numbers to five significant digits."""
        fields = asdict(self) | {"met": self.met}
        order = ("claim", "value", "interval", "reference", "ratio", "target", "met", "seconds", "peak_mb")
        return json.dumps({name: _rounded(fields[name]) for name in order}, ensure_ascii=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        # JSON has no NaN; a number that is not defined is null.
        return float(f"{value:.5g}") if math.isfinite(value) else None
    if isinstance(value, tuple):
        return [_rounded(v) for v in value]
    return value
