"""ImageSet: a sequence of images on disk, with the labels of those that have them."""

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.grid import Grid
from ..core.sample import Sample
from ..core.types import Image, Labels
from ..io.formats import kind_of, read_header, read_pixels
from ..io.header import Header
from ..io.ome_zarr import open_image
from .channels import take_channel
from .label_file import read_label_file

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Entry:
    """Where one sample lies and how to read it; small and picklable, so that workers can load it."""

    name: str

    image: Path

    labels: Path | None

    grid: Grid

    bit_depth: int
    """The largest value of the image is `2 ** bit_depth - 1`."""

    channel: int | str | None = None
    """Channel to take of a picture that has several; None takes all."""

    is_ours: bool = False
    """Written by this package: a constant image is then what was asked for."""

    provenance: Mapping[str, Any] = field(default_factory=dict)

    parts: Mapping[str, Path] = field(default_factory=dict)
    """Further labels by name, of samples that this package wrote."""

    def load(self) -> Sample:
        """Read the files.

        Raises
        ------
        InputError
            If a file is damaged, or holds values that are not accepted; names the file and the way out.
        """
        image = _read_image(self)
        return Sample(
            name=self.name,
            grid=self.grid,
            image=image,
            labels=self.load_labels(image.shape[1:]),
            parts={name: self._load_part(path) for name, path in self.parts.items()},
            bit_depth=self.bit_depth,
            source=self.image,
            provenance=dict(self.provenance),
        )

    def _load_part(self, path: Path) -> Labels:
        labels = read_label_file(path, may_be_mask=True, may_have_gaps=True, keeps_ids=True)
        return labels.reshape(self.grid.shape_px)  # an axis of one plane is back

    def load_labels(self, shape_px: tuple[int, ...] | None = None) -> Labels | None:
        """Read the labels alone, int32 without gaps; None where there are none."""
        if self.labels is None:
            return None
        labels = read_label_file(self.labels, may_be_mask=self.is_ours)
        if self.is_ours and labels.size == self.grid.n_voxels:
            labels = labels.reshape(self.grid.shape_px)  # an axis of one plane is back
        if labels.shape != (shape_px or self.grid.shape_px):
            raise InputError(
                f"{self.labels}: labels are {labels.shape} and the image {self.image.name} is "
                f"{shape_px or self.grid.shape_px}; crop one or check that they belong together"
            )
        return labels


@dataclass(frozen=True)
class ImageSet:
    """Images on disk, read when asked for; the set itself never changes.

    Indexing loads: `images[i]` is `images.load(i)`, and iterating loads one after the other. It is no
    `collections.abc.Sequence`, because checkers of types look into those, and looking reads files.
    """

    source: Path
    """Folder or file that it was read from."""

    entries: tuple[Entry, ...]

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self.take(range(len(self))[index])
        return self.load(index)

    def __iter__(self) -> Iterator[Sample]:
        return (entry.load() for entry in self.entries)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples, in order; unique."""
        return tuple(entry.name for entry in self.entries)

    @property
    def n_labelled(self) -> int:
        """Samples that have labels."""
        return sum(entry.labels is not None for entry in self.entries)

    def load(self, index: int) -> Sample:
        """Read one sample; see `Entry.load`."""
        return self.entries[index].load()

    def has_labels(self, index: int) -> bool:
        """Tell whether a sample has labels, without reading them."""
        return self.entries[index].labels is not None

    def grid(self, index: int) -> Grid:
        """Shape and voxel size of a sample, without reading it."""
        return self.entries[index].grid

    def index_of(self, name: str) -> int:
        """Position of the sample called `name`.

        Raises
        ------
        KeyError
            If there is none.
        """
        for i, entry in enumerate(self.entries):
            if entry.name == name:
                return i
        raise KeyError(name)

    def take(self, indices: Sequence[int] | range) -> "ImageSet":
        """Keep the samples at `indices`, in that order."""
        return replace(self, entries=tuple(self.entries[i] for i in indices))

    def labelled(self) -> "ImageSet":
        """Keep the samples that have labels."""
        return replace(self, entries=tuple(e for e in self.entries if e.labels is not None))

    def split(self, name: str) -> "ImageSet":
        """Keep the samples of one split of a dataset, such as `train`."""
        return replace(self, entries=tuple(e for e in self.entries if e.provenance.get("split") == name))

    def hashes(self) -> dict[str, str]:
        """SHA-256 of every file: `images/NAME.EXT` and `labels/NAME.EXT` to 64 hexadecimal digits."""
        found: dict[str, str] = {}
        for entry in self.entries:
            found[f"images/{entry.image.name}"] = sha256_of(entry.image)
            if entry.labels is not None:
                found[f"labels/{entry.labels.name}"] = sha256_of(entry.labels)
        return found

    def check_pixels(self) -> None:
        """Read everything once, and report all that is wrong in it together.

        Raises
        ------
        InputError
            Names the files (the first eight, then a count).
        """
        problems = []
        for entry in self.entries:
            try:
                entry.load()
            except InputError as error:
                problems.append(str(error))
        raise_together(self.source, problems)


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hexadecimal digits; of a folder that of the list of its files with theirs.

    Of an OME-Zarr image its labels are left out, as they are images of their own.
    """
    if path.is_dir():
        lines = [f"{sha256_of(file)}  {file.relative_to(path).as_posix()}\n" for file in _files_in(path)]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(
            f"{path}: cannot be read ({error.strerror}); check that it is still there"
        ) from error


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files that `sha256_of` counts in a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in _files_in(path))
    return path.stat().st_size


def _files_in(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return sorted(f for f in files if f.relative_to(folder).parts[0] != "labels")


def raise_together(source: Path, problems: Sequence[str], n_named: int = 8) -> None:
    """Raise one InputError for all problems of a folder; do nothing where there are none."""
    if not problems:
        return
    if len(problems) == 1:
        raise InputError(problems[0])
    lines = [f"{source}: {len(problems)} problems", *problems[:n_named]]
    if len(problems) > n_named:
        lines.append(f"and {len(problems) - n_named} more")
    raise InputError("\n  ".join(lines))


def _read_image(entry: Entry) -> Image:
    header, pixels = _read_file(entry.image)
    _refuse_not_finite(entry.image, pixels)
    if entry.channel is not None and _has_channels(header):
        pixels = take_channel(header, pixels, entry.channel)
    image = _to_unit_range(entry, header, pixels)
    spatial = tuple(n for n in entry.grid.shape_px[:-2] if n > 1) + entry.grid.shape_px[-2:]
    if image.shape[image.ndim - len(spatial) :] == spatial and image.ndim <= len(spatial) + 1:
        image = image.reshape(-1, *entry.grid.shape_px)  # channels first, and an axis of one plane is back
    else:
        raise InputError(
            f"{entry.image}: is {header.described} now and was {entry.grid.shape_px} when the folder was read; "
            "it changed in between, so start again"
        )
    if not entry.is_ours and image.min() == image.max():
        raise InputError(
            f"{entry.image}: every pixel has the same value ({pixels.flat[0]}); there is nothing to see in it, so "
            "take it out of the folder or check how it was exported"
        )
    return image


def _read_file(path: Path) -> tuple[Header, np.ndarray]:
    """Of an OME-Zarr image its grey values, and not the labels in it."""
    if kind_of(path) == "zarr":
        volume = open_image(path)
        return volume.header, volume.read()
    return read_header(path), read_pixels(path)


def _has_channels(header: Header) -> bool:
    return len(header.axes) > 2 and header.axes[0] != "Z"


def _refuse_not_finite(path: Path, pixels: np.ndarray) -> None:
    if pixels.dtype.kind != "f":
        return
    n_nan, n_inf = int(np.isnan(pixels).sum()), int(np.isinf(pixels).sum())
    if n_nan or n_inf:
        raise InputError(
            f"{path}: {n_nan} values are NaN and {n_inf} are infinite, of {pixels.size}; every pixel must have a "
            "value, so fill them or export the image again"
        )


def _to_unit_range(entry: Entry, header: Header, pixels: np.ndarray) -> Image:
    """Scale integers by the full range of the sensor; take float images in [0, 1] as they are."""
    if header.dtype.kind == "f":
        low, high = float(pixels.min()), float(pixels.max())
        if low < 0 or high > 1:
            raise InputError(
                f"{entry.image}: values are {header.dtype} from {low:g} to {high:g}; floating-point images must lie "
                "in 0 to 1, because their full range is not known. Divide all of them by the same full scale, or "
                "save them as 8 or 16 bit"
            )
        return pixels.astype(np.float32)
    full_scale = 2**entry.bit_depth - 1
    if pixels.max() > full_scale:
        raise InputError(
            f"{entry.image}: the largest value is {pixels.max()}, and {entry.bit_depth} bits end at {full_scale}; the "
            "file is not the one that was written"
        )
    return pixels.astype(np.float32) / np.float32(full_scale)
