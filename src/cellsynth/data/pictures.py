"""Pictures: images as their files hold them, for metrics: every channel, every plane, the values of the sensor."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..io.formats import read_header, read_pixels
from ..io.header import Header
from ..io.memory import check_memory
from ._folder_files import find_image_files, stem_of
from .dataset import is_dataset, open_dataset
from .image_set import raise_together

_MOST_CHANNELS = 4
"""Planes without a name of their axis: so many may be channels as well as slices."""


@dataclass(frozen=True)
class Pictures:
    """Images on disk by name, read when asked for."""

    source: Path

    headers: Mapping[str, Header]
    """By name, in natural order."""

    largest: int | None
    """Largest value that all of them can have, as far as the files say; None where they do not agree or do not say."""

    def __len__(self) -> int:
        return len(self.headers)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the images, in order; unique."""
        return tuple(self.headers)

    def as_partner_of(self, reference: "Pictures") -> "Pictures":
        """Itself; where both sides are one file, under the name of the reference, for then there is no doubt."""
        if not (self.source.is_file() and reference.source.is_file()):
            return self
        return replace(self, headers={reference.names[0]: self.headers[self.names[0]]})

    def load(self, name: str) -> np.ndarray:
        """Pixels as stored: (C, Y, X), or (C, Z, Y, X) for a volume; without a transparent layer that hides nothing.

        Raises
        ------
        InputError
            If the file is damaged, or transparent in parts.
        """
        header = self.headers[name]
        pixels = read_pixels(header.path)
        axes = header.axes.replace("Q", "Z")
        if "S" in axes:
            pixels, axes = np.moveaxis(pixels, axes.index("S"), 0), "C" + axes.replace("S", "")
            if len(pixels) in (2, 4):
                if pixels[-1].min() != pixels[-1].max():
                    raise InputError(f"{header.path}: is transparent in parts; flatten it")
                pixels = pixels[:-1]
        elif "C" in axes:
            pixels, axes = np.moveaxis(pixels, axes.index("C"), 0), "C" + axes.replace("C", "")
        else:
            pixels = pixels[None]
        return pixels


def read_pictures(path: Path) -> Pictures:
    """Find the images of a folder, a dataset folder, or one file; only headers are read now.

    Raises
    ------
    InputError
        If there are none, if two have the same name, or if one cannot be used; all problems at once.
    """
    path = Path(path)
    if is_dataset(path):
        entries = open_dataset(path).entries
        bits = {entry.bit_depth for entry in entries}
        headers = {entry.name: read_header(entry.image) for entry in entries}
        return Pictures(path, headers, 2 ** bits.pop() - 1 if len(bits) == 1 else None)
    headers, problems = {}, []
    for file in find_image_files(path):
        name = stem_of(file)
        try:
            header = read_header(file)
            check_memory(file, header.shape, header.dtype)
            _check(header)
        except InputError as error:
            problems.append(str(error))
            continue
        if name in headers:
            problems.append(
                f"{path}: {headers[name].path.name} and {file.name} both have the name {name!r}; keep one"
            )
        headers[name] = header
    raise_together(path, problems)
    return Pictures(path, headers, _largest(list(headers.values())))


def pair_pictures(candidate: Pictures, reference: Pictures) -> tuple[str, ...]:
    """Names that both have, in the order of the reference.

    Raises
    ------
    InputError
        If one side has an image that the other lacks.
    """
    missing = [name for name in reference.names if name not in candidate.headers]
    more = [name for name in candidate.names if name not in reference.headers]
    if missing or more:
        raise InputError(
            f"{candidate.source} and {reference.source} do not hold the same names: only in the first "
            f"{', '.join(more[:4]) or 'none'}; only in the second {', '.join(missing[:4]) or 'none'}. Names must be "
            "equal but for the extension"
        )
    return reference.names


def _largest(headers: list[Header]) -> int | None:
    """Known for 8 bits, and for files that say that they use a part of 16; 16 bits may hold 12."""
    found = {header.bits for header in headers}
    if any(header.dtype.kind == "f" for header in headers) or len(found) != 1 or found == {16}:
        return None
    return 2 ** found.pop() - 1


def _check(header: Header) -> None:
    if header.photometric not in ("minisblack", "rgb"):
        raise InputError(
            f"{header.path}: its values are {header.photometric}; save it as grey or RGB (in Fiji: Image > Type)"
        )
    if header.bits == 1:
        raise InputError(f"{header.path}: is black and white (1 bit); grey or RGB images are accepted")
    if header.axes == "QYX" and header.shape[0] <= _MOST_CHANNELS:
        raise InputError(
            f"{header.path}: has axes {header.described}, which may be channels or slices; save it with its axes "
            "declared (tifffile: metadata={'axes': 'ZYX'} or 'CYX')"
        )
    if sorted(header.axes.replace("S", "C").replace("Q", "Z")) not in (
        sorted(axes) for axes in ("YX", "CYX", "ZYX", "CZYX")
    ):
        raise InputError(
            f"{header.path}: has axes {header.described}; images (YX) and volumes (ZYX) are accepted, with channels. "
            "Save time points as files of their own"
        )
