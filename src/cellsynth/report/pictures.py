"""Images as the page shows them: one grey scale per pair, a window of large ones, a scale bar."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

import imagecodecs
import numpy as np
from jaxtyping import UInt8
from markupsafe import Markup

from ..core.grid import Grid
from ..core.sample import Sample

LARGEST_PX = 448
"""Larger images show this many pixels along an axis: cells stay visible, and the page small."""

Window = tuple[slice, slice]


def window_of(shape_px: Sequence[int], centre: tuple[float, float] | None = None) -> Window:
    """Window of at most `LARGEST_PX` a side, in the middle or around a place."""
    result = []
    for i, n in enumerate(shape_px[-2:]):
        size = min(n, LARGEST_PX)
        middle = n / 2 if centre is None else centre[i]
        start = int(min(max(middle - size / 2, 0), n - size))
        result.append(slice(start, start + size))
    return result[0], result[1]


def grey_range(sample: Sample) -> tuple[float, float]:
    """Grey levels to show as black and as white: nearly the whole range, without the few brightest pixels."""
    counts = sample.counts[0]
    low, high = np.quantile(counts, [0.005, 0.997])
    return float(low), float(max(high, low + 1))


def to_grey(sample: Sample, limits: tuple[float, float]) -> UInt8[np.ndarray, "y x"]:
    """First channel as 8 bit between the limits, lightened a little so that dim cells are seen."""
    low, high = limits
    share = np.clip((sample.counts[0].astype(np.float32) - low) / (high - low), 0, 1)
    return np.rint(255 * share**0.7).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Picture:
    """An image ready to be shown."""

    sample: Sample
    limits: tuple[float, float]
    window: Window = field(default=(slice(0), slice(0)))

    def __post_init__(self) -> None:
        if self.window[0].stop == 0:
            object.__setattr__(self, "window", window_of(self.sample.image.shape))

    @property
    def shape(self) -> tuple[int, int]:
        """Pixels shown."""
        return self.window[0].stop - self.window[0].start, self.window[1].stop - self.window[1].start

    @property
    def is_part(self) -> bool:
        """Whether the image is larger than what is shown."""
        return self.shape != self.sample.image.shape[-2:]

    @property
    def uri(self) -> str:
        """PNG as a data URI."""
        grey = np.ascontiguousarray(to_grey(self.sample, self.limits)[self.window])
        return "data:image/png;base64," + base64.b64encode(imagecodecs.png_encode(grey, level=9)).decode()

    def svg(self, name: str, description: str, lines: Markup | str = "", *, is_known: bool = False) -> Markup:
        """Picture with lines over it; `is_known` refers to one of the same name earlier in the page."""
        height, width = self.shape
        image = (
            Markup('<use href="#{}"/>').format(name)
            if is_known
            else Markup('<image id="{}" width="{}" height="{}" href="{}"/>').format(
                name, width, height, self.uri
            )
        )
        length, text = scale_bar(self.sample.grid, width)
        size, y, x = max(height, width) / 19, 0.95 * height, 0.04 * width
        bar = Markup(
            '<g class="bar"><rect x="{x:.1f}" y="{y:.1f}" width="{length:.2f}" height="{thick:.2f}"/>'
            '<text x="{x:.1f}" y="{above:.1f}" font-size="{size:.1f}">{text}</text></g>'
        ).format(x=x, y=y, length=length, thick=size / 5, above=y - size / 3, size=size, text=text)
        return Markup(
            '<svg class="picture" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img" '
            'aria-label="{}">{}{}{}</svg>'
        ).format(width, height, description, image, lines, bar)


def scale_bar(grid: Grid, width_px: int) -> tuple[float, str]:
    """Length in pixels and text of a bar of a round length, about a fifth of the width."""
    per_px = float(grid.voxel_um[-1])
    wanted = 0.22 * width_px * per_px
    power = 10.0 ** np.floor(np.log10(wanted))
    length = max(m * power for m in (1, 2, 5) if m * power <= wanted)
    return length / per_px, f"{length:g} {'µm' if grid.is_scale_known else 'px'}"
