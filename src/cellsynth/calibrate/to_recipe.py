"""From the parameters of calibration (pixels, grey levels) to the values of a recipe (um, photons)."""

from typing import Any

from ..core.grid import Grid
from .parameters import Values


def recipe_values(values: Values, grid: Grid, polarity: str, bit_depth: int) -> dict[str, Any]:
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
        "labels.density_per_mm2": _round(values["density"] / px_um**2),
        "labels.radius_um": {
            "median": _round(values["radius"] * px_um),
            "log_sd": _round(values["radius_spread"]),
        },
        "labels.axis_ratio": {
            "median": _round(values["axis_ratio"]),
            "log_sd": 0.12,
            "low": 0.3,
            "high": 1.0,
        },
        "labels.irregularity": _round(values["irregularity"]),
        "labels.intensity": {"median": 1.0, "log_sd": _round(values["intensity_spread"])},
        "labels.touching": _round(values["touching"]),
        "labels.patchiness": _round(values["patchiness"]),
        "render.photons": _round(electrons),
        "render.contrast": polarity,
        "render.texture.contrast": _round(values["texture"]),
        "render.texture.scale_um": _round(values["texture_scale"] * px_um),
        "render.texture.dome": _round(values["dome"]),
        "render.psf.blur_um": _round(values["blur"] * px_um),
        "render.background.photons": _round(background),
        "render.background.gradient": _round(
            min(values["gradient"] * values["photons"] / max(background * gain, 1e-6) * 2.0, 1.0)
        ),
        "render.background.haze": _round(values["haze"]),
        "render.background.haze_um": _round(1.5 * values["radius"] * px_um),
        "render.camera.bit_depth": bit_depth,
        "render.camera.gain_counts_per_electron": _round(gain),
        "render.camera.read_noise_electrons": _round(read),
        "render.camera.offset_counts": _round(offset),
        "render.camera.noise_blur_px": _round(values["noise_blur"]),
    }


def _round(value: float) -> float:
    """Four significant digits: more would pretend to a precision that the images do not give."""
    return float(f"{value:.4g}")
