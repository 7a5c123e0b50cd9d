"""The parameters that calibration finds: first guess from statistics, and how each is corrected."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Literal

Values = dict[str, float]
"""Parameter name to value; lengths in pixels, light in photoelectrons."""


@dataclass(frozen=True)
class Parameter:
    """One number of the recipe, and the statistic that responds to it."""

    name: str
    """As in the table of parameters."""

    statistic: str
    """Key of `measure.STATISTICS`."""

    low: float
    high: float
    """Bounds of the value."""

    unit: str
    """`px` for lengths (reported in um where the scale is known), `photons`, or nothing."""

    label: str
    """What it is, for the report."""

    how: Literal["ratio", "difference"] = "ratio"
    """Whether it is corrected by the ratio of the statistics or by their difference."""

    step: float = 0.7
    """Share of the correction that is applied: below 1 where the statistic answers to other things too."""

    systematic: float = 0.0
    """Relative standard error that a fit leaves in all images alike, beside their scatter: parameters can stand in for
    each other. Measured on simulated truth (`proofs/calibration.py`)."""


PARAMETERS = (
    Parameter("density", "density", 0.0, 1e5, "per Mpx", "cells per area", systematic=0.02),
    Parameter("radius", "radius", 1.0, 400.0, "px", "median radius of a cell", systematic=0.015),
    Parameter(
        "radius_spread",
        "radius_spread",
        0.01,
        0.6,
        "",
        "spread of the radius (sd of log)",
        "difference",
        systematic=0.05,
    ),
    Parameter("axis_ratio", "axis_ratio", 0.3, 1.0, "", "median axis ratio (minor / major)"),
    Parameter("irregularity", "roughness", 0.0, 0.4, "", "roughness of the outline", "difference", 2.0),
    Parameter("touching", "touching", 0.0, 0.95, "", "share of cells placed in contact", "difference", 0.8),
    Parameter("overlap", "contact", 0.0, 0.5, "", "largest overlap of cells in contact", "difference", 1.0),
    Parameter("out_of_focus", "blurred", 0.0, 0.6, "", "share of cells out of focus", "difference", 1.0),
    Parameter("patchiness", "patchiness", 0.0, 3.5, "", "unevenness of the density", "difference", 0.4),
    Parameter(
        "intensity_spread", "contrast_spread", 0.0, 1.2, "", "spread of brightness (sd of log)", "difference"
    ),
    Parameter("photons", "contrast", 0.5, 1e6, "photons", "light of a typical cell"),
    Parameter(
        "texture",
        "texture",
        0.0,
        0.8,
        "",
        "brightness variation inside of cells",
        "difference",
        1.0,
        systematic=0.15,
    ),
    Parameter(
        "texture_scale", "texture_scale", 1.0, 60.0, "px", "size of the grains", "ratio", 1.0, systematic=0.08
    ),
    Parameter(
        "dome",
        "dome",
        0.0,
        1.0,
        "",
        "roundness of the profile (0 flat, 1 ball)",
        "difference",
        -1.5,
        systematic=0.1,
    ),
    Parameter("blur", "edge", 0.2, 12.0, "px", "blur by the optics (sigma)", systematic=0.075),
    Parameter("background", "background", 0.0, 1e6, "photons", "light of the background", "difference"),
    Parameter("gradient", "gradient", 0.0, 1.0, "", "unevenness of the background, over cells", "difference"),
    Parameter(
        "haze", "haze", 0.0, 0.6, "", "out-of-focus light around cells", "difference", 0.8, systematic=0.35
    ),
    Parameter("clutter", "clutter", 0.0, 0.6, "", "faint structures in the background", "difference", 0.7),
    Parameter("gain", "gain", 1e-4, 1e4, "counts per electron", "gain of the camera"),
    Parameter(
        "read_noise", "noise_floor", 0.0, 1e4, "counts", "noise in the dark", "difference", systematic=0.03
    ),
    Parameter(
        "noise_blur", "noise_correlation", 0.0, 2.0, "px", "correlation of the noise", "difference", 0.8
    ),
)


def first_guess(statistics: Mapping[str, float]) -> Values:
    """Parameters as if every statistic were exact; photons and background are in grey levels here."""
    s = statistics
    guess = {
        "density": s["density"],
        "radius": s["radius"],
        "radius_spread": s["radius_spread"],
        "axis_ratio": s["axis_ratio"],
        "irregularity": max(s["roughness"] - 0.05, 0.0) * 2,
        "touching": 0.5 * s["touching"],
        "overlap": 0.15,
        "out_of_focus": 0.8 * s["blurred"],
        "patchiness": max(log(max(s["patchiness"], 0.3) / 0.5), 0.0),
        "intensity_spread": s["contrast_spread"],
        "photons": s["contrast"],
        "texture": 2.0 * s["texture"],
        "texture_scale": 2.0 * s["texture_scale"],
        "dome": min(max(1.5 * (1.0 - s["dome"]), 0.0), 1.0),
        "blur": max(s["edge"] / sqrt(2 * 3.14159265), 0.3),
        "background": s["background"],
        "gradient": s["gradient"],
        "haze": s["haze"],
        "clutter": max(s["clutter"] - 0.02, 0.0),
        "gain": max(s["gain"], 1e-3 * max(s["contrast"], 1e-3)),
        "read_noise": s["noise_floor"],
        "noise_blur": 0.6 if s["noise_correlation"] > 0.2 else 0.0,
    }
    return {p.name: min(max(guess[p.name], p.low), p.high) for p in PARAMETERS}


class Corrector:
    """Moves parameters until statistics agree, and learns how far each statistic follows its parameter.

    Every parameter is moved by its step times the gap of its statistic. Where the last move closed only a part of
    the gap, the next goes further, and where it overshot, less far: the secant method along each parameter alone,
    with bounds, because the statistics are noisy and follow other parameters too.
    """

    def __init__(self, real: Mapping[str, float]) -> None:
        self._real = real
        self._reach = {p.name: 1.0 for p in PARAMETERS}
        self._last_gap: dict[str, float] = {}

    def move(self, values: Values, simulated: Mapping[str, float]) -> Values:
        """Values that should bring the simulated statistics nearer to the real ones."""
        moved = dict(values)
        for p in PARAMETERS:
            gap = _gap(p, self._real[p.statistic], simulated[p.statistic])
            if gap is None:
                continue
            self._learn(p, gap)
            change = p.step * self._reach[p.name] * gap
            if p.how == "ratio":
                moved[p.name] = values[p.name] * exp(min(max(change, -0.7), 0.7))
            else:
                moved[p.name] = values[p.name] + change
            moved[p.name] = min(max(moved[p.name], p.low), p.high)
        return moved

    def _learn(self, p: Parameter, gap: float) -> None:
        last = self._last_gap.get(p.name)
        self._last_gap[p.name] = gap
        if last is None or abs(last) < 0.03 * (
            1.0 if p.how == "ratio" else abs(self._real[p.statistic]) + 0.01
        ):
            return  # what is left is noise
        closed = (last - gap) / last
        if closed > 0:
            reach = self._reach[p.name] * min(max(1 / closed, 0.5), 2.0)
            self._reach[p.name] = min(max(reach, 0.3), 6.0)


def _gap(p: Parameter, target: float, got: float) -> float | None:
    """How far the statistic has to go: a difference, or the logarithm of a ratio; None where it is undefined."""
    if not (abs(target) < float("inf") and abs(got) < float("inf")):  # NaN compares false too
        return None
    if p.how == "difference":
        return target - got
    return log(target / got) if target > 0 and got > 0 else None
