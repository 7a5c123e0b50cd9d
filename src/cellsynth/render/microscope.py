"""Fluorescence of cells through a widefield microscope onto a camera."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval
from pydantic import NonNegativeFloat, PositiveFloat

from ..core.config import Config
from ..core.errors import RecipeError
from ..core.grid import Grid
from ..core.lattice import uniform
from ..core.rng import Key
from ..core.scene import Scene
from ..core.types import Image
from ._camera import Camera, expose
from ._optics import Psf, blur
from ._texture import Texture, faint_structures, glow, haze, smooth_field
from .base import AbstractRenderer, FewPhotons, Photons, RenderFn, registry


class Background(Config):
    """Light that does not come from cells in focus."""

    photons: FewPhotons = 40.0
    """Even background per pixel: medium, autofluorescence, glass."""

    gradient: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Relative unevenness: the background times 1 +- this over the field (illumination, vignetting)."""

    haze: Annotated[float, Interval(ge=0, le=1)] = 0.1
    """Light of the cells that is spread widely around them, relative to their own light."""

    haze_um: PositiveFloat = 12.0
    """Standard deviation of that spread."""

    clutter: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Light of faint structures that are not labelled (cell bodies, debris far out of focus), relative to a cell:
    about what one place in a hundred exceeds."""

    clutter_um: PositiveFloat = 10.0
    """Distance of the lattice points that these structures are made from."""


class Focus(Config):
    """Cells that lie above or below the plane of focus."""

    share: Annotated[float, Interval(ge=0, le=1)] = 0.0
    """Share of the cells that are out of focus."""

    blur_um: NonNegativeFloat = 3.0
    """Standard deviation of the Gaussian that they are blurred by, on top of the optics."""

    dimming: Annotated[float, Interval(gt=0, le=1)] = 0.6
    """Their light relative to that of a cell in focus."""


@registry.register
class Microscope(AbstractRenderer):
    """Widefield fluorescence in 2D: texture, background, haze, diffraction, shot and read noise, quantisation."""

    kind: Literal["microscope"] = "microscope"

    photons: Photons = 400.0
    """Photons per pixel, on average over a cell of intensity 1."""

    contrast: Literal["bright", "dark"] = "bright"
    """Whether cells shine (fluorescence) or dim the background as an absorbing stain does (Beer-Lambert)."""

    texture: Texture = Texture()
    """Brightness inside of cells."""

    background: Background = Background()
    """Light around them."""

    psf: Psf = Psf()
    """Blur by the optics."""

    focus: Focus = Focus()
    """Cells out of the plane of focus."""

    camera: Camera = Camera()
    """From photons to grey values."""

    @property
    def bit_depth(self) -> int:
        """Bits of the camera."""
        return self.camera.bit_depth

    def build(self, grid: Grid, device: str = "cpu") -> RenderFn:
        """Make the function that takes the picture of a scene on `grid`."""
        if grid.ndim != 2:
            raise RecipeError(f"microscope renders 2D scenes; the grid is {grid.shape_px}")
        return partial(take_picture, self, grid)


def take_picture(microscope: Microscope, grid: Grid, scene: Scene, key: Key) -> Image:
    """Render a scene.

    Returns
    -------
    image : (1, Y, X) float32 in [0, 1]
        Grey value over the full range of the camera.
    """
    photons = expected_photons(microscope, grid, scene, key)
    return expose(photons, microscope.camera, grid, key.child("camera"))[None]


def expected_photons(microscope: Microscope, grid: Grid, scene: Scene, key: Key) -> np.ndarray:
    """Light that reaches each pixel of the camera on average, before noise: (Y, X) float32."""
    back = microscope.background
    light, seen = _light(microscope, grid, scene)
    if back.haze > 0:
        seen = seen + np.float32(back.haze) * haze(light, back.haze_um / float(np.mean(grid.voxel_um)))
    ground = np.full(grid.shape_px, back.photons, np.float32)
    if back.gradient > 0:
        # One lattice cell over the field: a tilt with a slight bend, different in every image.
        field = smooth_field(grid, key.child("gradient").uint64(), 1.3 * max(grid.extent_um))
        ground *= np.maximum(1 + np.float32(back.gradient) * field, 0)
    if back.clutter > 0:
        field = faint_structures(grid, key.child("clutter").uint64(), back.clutter_um)
        seen = seen + np.float32(back.clutter * microscope.photons) * field
    if microscope.contrast == "bright":
        return ground + seen
    # Absorption: `photons` of a typical cell is the light that it takes away where it is thin.
    return ground * np.exp(-seen / np.maximum(ground, 1e-6))


def _light(microscope: Microscope, grid: Grid, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Photons that the cells and the debris emit, and where the optics puts them: both (Y, X)."""
    focus = microscope.focus
    wider = microscope.psf.model_copy(
        update={"blur_um": float(np.hypot(microscope.psf.blur_um, focus.blur_um))}
    )
    shining = [(part, part.draw()) for part in (scene, scene.unlabelled) if part is not None]
    is_out = [is_out_of_focus(part, focus.share) for part, _ in shining]
    total, seen = np.zeros((2, *grid.shape_px), np.float32)
    for is_blurred, factor, psf in ((False, 1.0, microscope.psf), (True, focus.dimming, wider)):
        if is_blurred and not any(out.any() for out in is_out):
            continue
        light = np.zeros(grid.shape_px, np.float32)
        for (part, labels), out in zip(shining, is_out, strict=True):
            dimmed = replace(part.objects, intensity=part.objects.intensity * (out == is_blurred) * factor)
            lit = replace(part, objects=dimmed)
            light += glow(lit, labels, microscope.texture) * np.float32(microscope.photons)
        total += light
        seen += blur(light, psf, grid)
    return total, seen


def is_out_of_focus(scene: Scene, share: float) -> np.ndarray:
    """(n,) which objects are out of focus: by their own keys, so it does not depend on the others."""
    return np.array([uniform(key, 0, 77) < share for key in scene.objects.key], bool)
