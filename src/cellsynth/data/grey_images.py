"""Images and volumes of one grey channel, as their files hold them: what masks and prototypes are taken out of."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ..core.errors import InputError
from ..io.formats import kind_of, read_header, read_pixels
from ..io.header import Header
from ..io.jpeg import is_jpeg, read_jpeg, read_jpeg_header
from ..io.memory import check_memory
from ..io.ome_zarr import open_image
from ._folder_files import find_image_files, stem_of
from .channels import COLOURS, Channel, check_channel, find_channel, n_channels, parse_channel, take_channel
from .dataset import is_dataset, open_dataset
from .image_set import raise_together

_MOST_CHANNELS = 4
"""Planes without a name of their axis: so many may be channels as well as slices."""

_AXES = ("YX", "ZYX", "YXS", "CYX", "CZYX", "ZCYX", "ZYXS")


@dataclass(frozen=True)
class GreyImages:
    """Images on disk by name, read when asked for: one channel, 2D or 3D, in the values that are stored."""

    source: Path

    headers: Mapping[str, Header]
    """By name, in natural order."""

    channel: Channel = None
    """Channel to take of a picture that has several."""

    colours: Literal["refuse", "mean"] = "refuse"
    """What to do with several channels of signal where no channel was asked for."""

    voxel_um: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Size of a voxel per axis, of those images for which it is known."""

    def __len__(self) -> int:
        return len(self.headers)

    def __iter__(self) -> Iterator[str]:
        return iter(self.headers)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the images, in order; unique."""
        return tuple(self.headers)

    def take(self, name: str) -> "GreyImages":
        """The set of one image; small, so that a worker can be sent it."""
        scales = {name: self.voxel_um[name]} if name in self.voxel_um else {}
        return replace(self, headers={name: self.headers[name]}, voxel_um=scales)

    def full_scale(self, name: str) -> float | None:
        """Largest value that the type of the file can hold; None for floating point and signed integers."""
        header = self.headers[name]
        if header.bits == 1:
            return 1.0
        return float(2**header.bits - 1) if header.dtype.kind == "u" else None

    def load(self, name: str) -> np.ndarray:
        """Read the grey values: (Y, X) or (Z, Y, X), as stored; `mean` of channels is float32.

        Raises
        ------
        InputError
            If the file is damaged, holds NaN, has several channels of signal and none was chosen, or lacks the channel.
        """
        header = self.headers[name]
        pixels = _read(header)
        if pixels.dtype == bool:
            pixels = pixels.astype(np.uint8)
        if pixels.dtype.kind not in "uif":
            raise InputError(f"{header.path}: values are {pixels.dtype}; integers and floats are accepted")
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            n_bad = int(np.count_nonzero(~np.isfinite(pixels)))
            raise InputError(
                f"{header.path}: {n_bad} values are NaN or infinite; every voxel must have a value"
            )
        if not set("CS") & set(header.axes):
            return pixels
        header, pixels = _channels_first(header, pixels)
        return take_channel(header, pixels, self._channel_of(header, pixels))

    def _channel_of(self, header: Header, pixels: np.ndarray) -> int | str:
        if self.channel is not None:
            check_channel(header, self.channel)
            return self.channel
        found = find_channel(header, pixels)
        if found != COLOURS:
            return found
        if self.colours == "mean":
            return "mean"
        n = n_channels(header)
        names = f" ({', '.join(header.channel_names)})" if header.channel_names else ""
        raise InputError(
            f"{header.path}: has {n} channels{names}, several of which carry signal, and one is needed; pass the one "
            f"that shows the cells: --channel 0 to {n - 1}, or mean"
        )


def read_grey_images(
    path: Path,
    *,
    channel: Channel = None,
    colours: Literal["refuse", "mean"] = "refuse",
    may_be_jpeg: bool = False,
) -> GreyImages:
    """Find the images of a folder, a dataset folder, or one file or OME-Zarr volume; only headers are read now.

    Parameters
    ----------
    channel
        Index from 0, `red`, `green`, `blue`, a name that the file has, or `mean`. Grey images ignore 0 and `mean`.
    colours
        Without `channel`: refuse, when it is read, what has several channels of signal, or take their mean. Channels
        that are equal are grey.
    may_be_jpeg
        Take JPEG pictures as well, whose compression changes grey values.

    Raises
    ------
    InputError
        If there are none, if two have the same name, or if one cannot be used; all problems at once.
    """
    path, channel = Path(path), parse_channel(channel)
    files, scales = _files_of(path)
    headers: dict[str, Header] = {}
    problems: list[str] = []
    for name, file in files:
        try:
            header = _header(file, may_be_jpeg=may_be_jpeg)
            check_memory(file, header.shape, header.dtype)
            header = _checked(header, channel)
        except InputError as error:
            problems.append(str(error))
            continue
        if name in headers:
            problems.append(
                f"{path}: {headers[name].path.name} and {file.name} both have the name {name!r}; keep one"
            )
        headers[name] = header
        if header.voxel_um is not None and name not in scales:
            scales[name] = header.voxel_um[-len(header.shape_px) :]
    raise_together(path, problems)
    return GreyImages(path, headers, channel, colours, scales)


def _files_of(path: Path) -> tuple[list[tuple[str, Path]], dict[str, tuple[float, ...]]]:
    if is_dataset(path):
        entries = open_dataset(path).entries
        scales = {e.name: e.grid.voxel_um for e in entries if e.grid.is_scale_known}
        return [(entry.name, entry.image) for entry in entries], scales
    return [(stem_of(file), file) for file in find_image_files(path, may_be_zarr=True)], {}


def _header(path: Path, *, may_be_jpeg: bool) -> Header:
    if kind_of(path) == "zarr":
        return open_image(path).header
    return read_jpeg_header(path) if may_be_jpeg and is_jpeg(path) else read_header(path)


def _read(header: Header) -> np.ndarray:
    path = header.path
    if header.format == "jpeg":
        return read_jpeg(path)
    return open_image(path).read() if kind_of(path) == "zarr" else read_pixels(path)


def _checked(header: Header, channel: Channel) -> Header:
    """Refuse time series and what is no grey or colour; name the axis that the file does not."""
    path, axes = header.path, header.axes
    if header.photometric not in ("minisblack", "rgb"):
        raise InputError(
            f"{path}: its values are {header.photometric}; save it as grey or RGB (in Fiji: Image > Type)"
        )
    if axes == "QYX" and channel not in (None, 0, "mean") and header.shape[0] <= _MOST_CHANNELS:
        return replace(header, axes="CYX")
    if axes == "QYX" and header.shape[0] <= _MOST_CHANNELS:
        raise InputError(
            f"{path}: has axes {header.described}, which may be channels or slices; save it with its axes declared "
            "(tifffile: metadata={'axes': 'ZYX'} or 'CYX')"
        )
    if axes == "QYX":
        header = replace(header, axes="ZYX")
    if header.axes not in _AXES:
        raise InputError(
            f"{path}: has axes {header.described}; images (YX) and volumes (ZYX) are accepted, with channels. Save "
            "time points as files of their own"
        )
    if header.axes in ("YX", "ZYX") and channel not in (None, 0, "mean"):
        raise InputError(
            f"{path}: has no channel {channel!r}; it is grey ({header.described}), so leave out --channel"
        )
    return header


def _channels_first(header: Header, pixels: np.ndarray) -> tuple[Header, np.ndarray]:
    """Channels in front, as `take_channel` wants them; pictures, whose last axis are colours, stay."""
    axes = header.axes
    if axes in ("YXS", "CYX", "CZYX"):
        return header, pixels
    place = axes.index("S" if "S" in axes else "C")
    pixels = np.moveaxis(pixels, place, 0)
    if "S" in axes and len(pixels) in (2, 4):
        pixels = pixels[:-1]  # transparency
    return replace(header, axes="CZYX", shape=pixels.shape), pixels
