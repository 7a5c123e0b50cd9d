"""What a file says of its pixels before they are read."""

from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import Literal

import numpy as np

# What desktop software writes into files of any origin: a print size, not the size of a pixel of the specimen.
_DESKTOP_DPI = (
    72,
    75,
    90,
    96,
    100,
    120,
    144,
    150,
    180,
    192,
    200,
    240,
    250,
    254,
    300,
    360,
    400,
    600,
    720,
    1200,
)


@dataclass(frozen=True)
class Header:
    """Shape, axes, type and scale of an image file."""

    path: Path

    format: Literal["png", "tiff", "zarr", "jpeg"]

    axes: str
    """One letter per axis, in the order of the array: `T C Z Y X`, `S` for samples (grey-alpha, RGB, RGBA) and
    `Q` for an axis that the file does not name. Axes of length one are left out, but for Y and X."""

    shape: tuple[int, ...]

    dtype: np.dtype

    bits: int
    """Significant bits of a value, as far as the file says; 1 for a black-and-white picture."""

    photometric: str
    """What the values mean: `minisblack` and `rgb`; `miniswhite`, `palette` and others of TIFF."""

    is_lossy: bool = False
    """Compressed in a way that may change grey values."""

    voxel_um: tuple[float, float, float] | None = None
    """`zyx`; z is 1 where only the pixel size is known; None where the file has no scale."""

    channel_names: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> int:
        """Bytes in memory, as stored."""
        return prod(self.shape) * self.dtype.itemsize

    @property
    def shape_px(self) -> tuple[int, ...]:
        """Lengths of the spatial axes, in the order of the file."""
        return tuple(n for axis, n in zip(self.axes, self.shape, strict=True) if axis in "ZYX")

    @property
    def described(self) -> str:
        """Axes and lengths for a message: `ZYX (5, 31, 47)`."""
        return f"{self.axes} {self.shape}"


def without_single_axes(axes: str, shape: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """Drop axes of length one, but for Y and X."""
    kept = [(a, n) for a, n in zip(axes, shape, strict=True) if n > 1 or a in "YX"]
    return "".join(a for a, _ in kept), tuple(n for _, n in kept)


def rounded_um(size_um: float) -> float:
    """Take away the rounding of formats that store pixels per length: six significant digits."""
    return float(f"{size_um:.6g}")


def is_plausible_print_scale(size_um: float) -> bool:
    """Tell whether a scale given as dots per inch or cm can be a pixel of a microscope image.

    It cannot where it is 100 um or more, or one of the resolutions that desktop software writes into any file.
    """
    if not is_length(size_um) or size_um >= 100:
        return False
    dpi = 25400 / size_um
    return all(abs(dpi - usual) > 0.01 * usual for usual in _DESKTOP_DPI)


def is_length(value: float) -> bool:
    """Tell whether a number can be the size of something."""
    return isfinite(value) and value > 0
