"""From the parameters of calibration (pixels, grey levels) to the values of a recipe (um, photons)."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.grid import Grid
from .parameters import Values

SHARES = np.linspace(0, 1, 17)
"""Shares of the cells at which a measured distribution is written down."""

MIN_CELLS = 30
"""Fewer cells do not tell the shape of a distribution; it is log-normal then."""


LARGEST = 2.6
"""Standard deviations (of the logarithm) above the median at which the distribution of the radius ends."""


@dataclass(frozen=True)
class Population:
    """Shape of the distributions of cells in one kind of image, pooled over its images."""

    radius: tuple[float, ...] | None
    """Logarithm of the radius over the median of its image, at `SHARES`; scaled to a spread of 1."""

    brightness: tuple[float, ...] | None
    """The same for the contrast."""

    correlation: float
    """Of the two, by ranks."""


def population_of(radius: list[np.ndarray], contrast: list[np.ndarray]) -> Population:
    """Pool the cells of several images, each relative to the medians of its image."""
    from scipy.stats import spearmanr

    enough = [(r, c) for r, c in zip(radius, contrast, strict=True) if len(r) >= 3]
    if sum(len(r) for r, _ in enough) < MIN_CELLS:
        return Population(None, None, 0.0)
    r = np.concatenate([np.log(r / np.median(r)) for r, _ in enough])
    c = np.concatenate([np.log(c / np.median(c)) for _, c in enough])
    rho = float(spearmanr(r, c).statistic) if r.std() > 0 and c.std() > 0 else 0.0
    sizes = _standardised(r)
    if sizes is not None:
        # Far larger than the others are mistakes of the segmentation: several cells in one.
        sizes = tuple(min(v, LARGEST) for v in sizes)
    return Population(sizes, _standardised(c), float(np.clip(rho, -0.9, 0.9)))


def _standardised(values: np.ndarray) -> tuple[float, ...] | None:
    low, high = np.quantile(values, [0.16, 0.84])
    if high - low < 1e-3:
        return None
    # The very ends are the outermost cell of many: take the values that 99.5 % lie within.
    shares = np.clip(SHARES, 0.005, 0.995)
    return tuple(float(v) for v in np.quantile(values, shares) * 2 / (high - low))


def _distribution(median: float, spread: float, shape: tuple[float, ...] | None) -> dict[str, Any]:
    if shape is None:
        return {"median": _round(median), "log_sd": _round(spread)}
    return {"quantiles": [_round(median * float(np.exp(spread * v))) for v in shape]}


def recipe_values(
    values: Values, population: Population, grid: Grid, polarity: str, bit_depth: int
) -> dict[str, Any]:
    """Dotted recipe values that make images with these parameters.

    The camera is taken to have a quantum efficiency of 1 and, where the noise allows it, no offset: images alone
    tell the number of electrons, not the number of photons, and not which part of the dark level is an offset.
    """
    px_um = float(grid.voxel_um[-1])
    gain = values["gain"]
    electrons = values["photons"] / gain
    # Noise in the dark: shot noise of the background light, and the rest from reading.
    shot_variance = gain * values["background"]
    dark_variance = values["read_noise"] ** 2
    if shot_variance <= dark_variance:
        background, offset = values["background"] / gain, 0.0
        read = (dark_variance - shot_variance) ** 0.5 / gain
    else:
        # Less noise than that much light would have: the remainder of the level is the camera's offset.
        background = dark_variance / gain**2
        offset, read = values["background"] - background * gain, 0.0
    return {
        "grid.shape_px": list(grid.shape_px),
        "grid.voxel_um": list(grid.voxel_um),
        "labels.density_per_mm2": _round(values["density"] / px_um**2),
        "labels.radius_um": _distribution(
            values["radius"] * px_um, values["radius_spread"], population.radius
        ),
        "labels.axis_ratio": {
            "median": _round(values["axis_ratio"]),
            "log_sd": 0.12,
            "low": 0.3,
            "high": 1.0,
        },
        "labels.irregularity": _round(values["irregularity"]),
        "labels.intensity": _distribution(1.0, values["intensity_spread"], population.brightness),
        "labels.size_brightness": _round(population.correlation),
        "labels.touching": _round(values["touching"]),
        "labels.overlap": _round(values["overlap"]),
        "labels.patchiness": _round(values["patchiness"]),
        "render.photons": _round(electrons),
        "render.contrast": polarity,
        "render.texture.contrast": _round(values["texture"]),
        "render.texture.scale_um": _round(values["texture_scale"] * px_um),
        "render.texture.dome": _round(values["dome"]),
        "render.focus.share": _round(values["out_of_focus"]),
        "render.focus.blur_um": _round(0.3 * values["radius"] * px_um),
        "render.psf.blur_um": _round(values["blur"] * px_um),
        "render.background.photons": _round(background),
        "render.background.gradient": _round(
            min(values["gradient"] * values["photons"] / max(background * gain, 1e-6) * 2.0, 1.0)
        ),
        "render.background.haze": _round(values["haze"]),
        "render.background.haze_um": _round(1.5 * values["radius"] * px_um),
        "render.background.clutter": _round(values["clutter"]),
        "render.background.clutter_um": _round(2.5 * values["radius"] * px_um),
        "render.camera.bit_depth": bit_depth,
        "render.camera.gain_counts_per_electron": _round(gain),
        "render.camera.read_noise_electrons": _round(read),
        "render.camera.offset_counts": _round(offset),
        "render.camera.noise_blur_px": _round(values["noise_blur"]),
    }


def _round(value: float) -> float:
    """Four significant digits: more would pretend to a precision that the images do not give."""
    return float(f"{value:.4g}")
