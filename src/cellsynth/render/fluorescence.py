"""Fluorescence of cells in 2D and 3D: stains, attenuation, optics that change with depth, camera."""

from functools import partial
from typing import Annotated, ClassVar, Literal

from annotated_types import Len, MinLen
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from ..core.config import Config
from ..core.errors import RecipeError
from ..core.grid import Grid
from ..core.rng import Key
from ..core.scene import Scene
from ..core.types import Image
from ._attenuation import Attenuation
from ._camera import Camera
from ._stack import ChannelOptics, Stack, StackSettings
from ._texture import Texture
from .base import AbstractRenderer, AbstractTiledImage, FewPhotons, Photons, RenderFn, in_memory, registry
from .psfs import AbstractPsf
from .psfs import registry as psfs


class Layer(Config):
    """The optics at a depth."""

    path_um: NonNegativeFloat = 0.0
    """Path through tissue at which this point spread function holds; in between they blend."""

    psf: Annotated[AbstractPsf, *psfs.field()] = psfs.parse("gaussian")
    """How light spreads there."""


Optics = Annotated[tuple[Layer, ...], MinLen(1)]


class Channel(Config):
    """One colour: what shines in it. What is not given is as of the renderer."""

    name: str = ""
    """What it is called, such as the dye."""

    stains: dict[str, PositiveFloat] | None = None
    """What shines, by the names of the labels (`cells`, `nuclei`, `membranes`, `spots`), and how brightly relative to
    `photons`; by default that which is labelled, and the debris that is not."""

    photons: Photons | None = None
    """As of the renderer."""

    texture: Texture | None = None
    """As of the renderer."""

    autofluorescence: FewPhotons | None = None
    """As of the renderer."""

    background: FewPhotons | None = None
    """As of the renderer."""

    optics: Optics | None = None
    """As of the renderer."""


@registry.register
class Fluorescence(AbstractRenderer):
    """Fluorescence microscopy of cells in a plane or a volume, in one or several colours.

    Light is float from the emission to the camera, which rounds once. An image is rendered in tiles of a fixed lattice,
    with a halo that holds the whole point spread function, so the values do not depend on which box is asked for.
    A 2D grid is one plane in focus: the point spread function is its middle plane, and no tissue lies above.
    """

    kind: Literal["fluorescence"] = "fluorescence"

    ndims: ClassVar[tuple[int, ...]] = (2, 3)

    is_tiled: ClassVar[bool] = True

    photons: Photons = 400.0
    """Photons per voxel, on average over a cell of intensity 1, without attenuation."""

    texture: Texture = Texture(dome=0.0)
    """Brightness inside of cells; real cells as prototypes bring their own."""

    attenuation: Attenuation = Attenuation()
    """How tissue above dims what is below."""

    autofluorescence: FewPhotons = 0.0
    """Photons per voxel that the tissue itself emits, before attenuation."""

    background: FewPhotons = 10.0
    """Photons per pixel everywhere: medium and glass."""

    bleaching: NonNegativeFloat = 0.0
    """Light lost while a stack is taken: the last slice has exp(-bleaching) of the light."""

    optics: Optics = (Layer(),)
    """Point spread functions by the path through tissue, ascending; one holds everywhere."""

    scattering_um: NonNegativeFloat = 0.0
    """Standard deviation of a Gaussian within slices that scattering adds after 100 um of tissue; it grows in
    proportion to the path."""

    channels: Annotated[tuple[Channel, ...], MinLen(1)] = (Channel(),)
    """Colours, each an image of its own."""

    oversampling: PositiveInt | Annotated[tuple[PositiveInt, ...], Len(2, 3)] = 1
    """Light is computed on voxels so many times finer along each axis, and averaged by area onto the camera's."""

    camera: Camera = Camera()
    """From photons to grey values."""

    @model_validator(mode="after")
    def _check_layers(self) -> "Fluorescence":
        for optics in (self.optics, *(c.optics for c in self.channels if c.optics)):
            paths = [layer.path_um for layer in optics]
            if paths != sorted(set(paths)):
                raise ValueError(f"optics are layers of ascending path_um, each once; saw {paths}")
        names = self.channel_names
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(
                f"two channels are called {twice[0]!r}; give each its own name, as tables are by it"
            )
        if self.camera.noise_blur_px > 0:
            raise ValueError("camera.noise_blur_px is of the renderer microscope; leave it at 0")
        return self

    @property
    def bit_depth(self) -> int:
        """Bits of the camera."""
        return self.camera.bit_depth

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Of the channels; those without are numbered."""
        return tuple(c.name or f"channel_{i}" for i, c in enumerate(self.channels))

    def build(self, grid: Grid, device: str = "cpu") -> RenderFn:
        """Make the function that takes the image of a scene on `grid`."""
        self._steps(grid)
        return partial(take_image, self, grid)

    def tiled(self, grid: Grid, scene: Scene, key: Key) -> AbstractTiledImage:
        """The image, tile by tile."""
        return stack_of(self, grid, scene, key)

    def _steps(self, grid: Grid) -> tuple[int, ...]:
        given = self.oversampling
        steps = (given,) * grid.ndim if isinstance(given, int) else given
        if len(steps) != grid.ndim:
            raise RecipeError(
                f"render: oversampling has {len(steps)} numbers and the grid {grid.ndim} axes; give one, or one per "
                "axis"
            )
        return steps


def take_image(config: Fluorescence, grid: Grid, scene: Scene, key: Key) -> Image:
    """Render a scene: (C, Z, Y, X) float32 in [0, 1], grey value over the full range of the camera."""
    return in_memory(stack_of(config, grid, scene, key), grid, len(config.channels))


def stack_of(config: Fluorescence, grid: Grid, scene: Scene, key: Key) -> Stack:
    """A scene under the microscope.

    Raises
    ------
    RecipeError
        If a channel stains what is not in the scene.
    """
    channels = []
    for channel in config.channels:
        stains = {scene.name: 1.0} if channel.stains is None else channel.stains
        if unknown := [name for name in stains if name not in scene.layers]:
            raise RecipeError(
                f"render: a channel stains {unknown[0]!r}, and the scene has {', '.join(scene.layers)}"
            )
        given = {
            name: getattr(config, name) if getattr(channel, name) is None else getattr(channel, name)
            for name in ("photons", "texture", "autofluorescence", "background", "optics")
        }
        layers = tuple((layer.path_um, layer.psf) for layer in given.pop("optics"))
        channels.append(ChannelOptics(stains=stains, layers=layers, **given))
    settings = StackSettings(
        tuple(channels),
        config.attenuation,
        config.bleaching,
        config.scattering_um,
        config._steps(grid),
        config.camera,
    )
    return Stack(settings, grid, scene, key)
