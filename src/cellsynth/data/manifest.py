"""The manifest of a dataset folder: what is in it, what made it, and the checksum of every file."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval
from pydantic import Field, NonNegativeInt, StringConstraints

from ..core.config import Config
from ..core.errors import InputError, RecipeError
from ..core.grid import Grid
from ..io.tables import read_json

MANIFEST_NAME = "dataset.json"
FORMAT_VERSION = 1

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

_NAME = re.compile(r"^[^\x00-\x1f/\\:*?\"<>|]{1,180}$")
_WINDOWS_DEVICES = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


class FileRecord(Config):
    """A file of the dataset, or an OME-Zarr folder, whose checksum is that of the list of its files."""

    path: str
    """Relative to the folder, with `/`."""

    n_bytes: NonNegativeInt
    sha256: Sha256


class SampleRecord(Config):
    """A sample of the dataset."""

    name: str
    image: FileRecord
    labels: FileRecord | None = None
    parts: dict[str, FileRecord] = Field(default_factory=dict)
    """Further labels by name, such as `nuclei` in cells."""

    grid: Grid
    bit_depth: Annotated[int, Interval(ge=1, le=16)] = 16
    n_objects: NonNegativeInt | None = None
    """Cells in the labels; None where it is not labelled."""

    split: str | None = None
    condition: str | None = None
    """Name of the variation of the recipe that made it; None where there is only one."""

    provenance: dict[str, Any] = Field(default_factory=dict)
    """Further plain values that came with the sample."""


class Manifest(Config):
    """Everything about a dataset but its pixels."""

    format: Literal["cellsynth-dataset"] = "cellsynth-dataset"
    format_version: int = FORMAT_VERSION
    cellsynth_version: str
    recipe: dict[str, Any] = Field(default_factory=dict)
    """As resolved: every value that had an influence, the seed among them."""

    inputs: dict[str, Sha256] = Field(default_factory=dict)
    """Files that the recipe was made from: name to SHA-256."""

    seed: int | None = None
    n_samples: NonNegativeInt
    samples: tuple[SampleRecord, ...]
    objects: FileRecord | None = None
    """Table of the simulated objects."""

    part_objects: dict[str, FileRecord] = Field(default_factory=dict)
    """Tables of those of the further labels, by their name."""


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of a dataset folder; no other file is opened.

    Raises
    ------
    InputError
        If there is none, if it is damaged, of a newer format, or names files outside of the folder.
    """
    path = folder / MANIFEST_NAME
    data = read_json(path)
    if data.get("format") != "cellsynth-dataset":
        raise InputError(f"{path}: is not the manifest of a cellsynth dataset")
    version = data.get("format_version")
    if version != FORMAT_VERSION:
        raise InputError(
            f"{path}: has format version {version!r}, and this version of cellsynth reads {FORMAT_VERSION}; "
            "update cellsynth, or make the dataset again"
        )
    try:
        manifest = Manifest.parse(data, source=str(path))
    except RecipeError as error:
        raise InputError(f"{error}. The manifest was changed or damaged; make the dataset again") from error
    _check_names(path, [sample.name for sample in manifest.samples])
    if manifest.n_samples != len(manifest.samples):
        raise InputError(
            f"{path}: says {manifest.n_samples} samples and lists {len(manifest.samples)}; it is damaged"
        )
    for record in files_of(manifest):
        _check_inside(path, folder, record.path)
    return manifest


def files_of(manifest: Manifest) -> Iterable[FileRecord]:
    """All files that the manifest names."""
    for sample in manifest.samples:
        yield sample.image
        if sample.labels is not None:
            yield sample.labels
        yield from sample.parts.values()
    if manifest.objects is not None:
        yield manifest.objects
    yield from manifest.part_objects.values()


def check_sample_name(name: str) -> None:
    """Refuse a name that is no file name on every system.

    Raises
    ------
    ValueError
        Says what is accepted.
    """
    if (
        not _NAME.match(name)
        or name.startswith(".")
        or name.endswith((".", " "))
        or _WINDOWS_DEVICES.match(name)
    ):
        raise ValueError(
            f'sample name {name!r}: a name has 1 to 180 characters, none of / \\ : * ? " < > |, and does not begin '
            "or end with a dot"
        )


def _check_names(path: Path, names: list[str]) -> None:
    for name in names:
        try:
            check_sample_name(name)
        except ValueError as error:
            raise InputError(f"{path}: {error}") from error
    if len({name.casefold() for name in names}) != len(names):
        twice = next(name for name in names if [n.casefold() for n in names].count(name.casefold()) > 1)
        raise InputError(
            f"{path}: lists the sample {twice!r} twice; it is damaged, so make the dataset again"
        )


def _check_inside(manifest: Path, folder: Path, name: str) -> None:
    """Refuse absolute paths, `..` and links that lead out of the folder."""
    relative = Path(name)
    root = folder.resolve()
    is_inside = not relative.is_absolute() and "\\" not in name and ":" not in name and "\0" not in name
    if not is_inside or not (root / relative).resolve().is_relative_to(root):
        raise InputError(
            f"{manifest}: names the file {name!r}, which is outside of the folder; it was tampered with"
        )
