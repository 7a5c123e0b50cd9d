"""The columns of a table by what they mean, whoever wrote it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from ..core.errors import InputError
from ._folder_files import stem_of, without_label_suffix

Unit = Literal["px", "um"]

IMAGE_COLUMNS = ("image", "sample", "image_id", "file", "filename")
CLASS_COLUMNS = ("class", "class_id", "type", "category")
ID_COLUMNS = ("label", "id", "object_id", "instance")

# Spellings of a position; {axis} is z, y or x, and {i} its number: 0 for the first of those that the table has.
_IN_UM = ("{axis}_um", "centre_{axis}_um", "center_{axis}_um", "centroid_{axis}_um")
_IN_PX = (
    "{axis}",
    "{axis}_px",
    "centre_{axis}_px",
    "centre_{axis}",
    "center_{axis}",
    "centroid_{axis}",
    "axis-{i}",  # points of napari
    "centroid-{i}",  # regionprops_table of scikit-image
)
_TABLE_SUFFIXES = ("_points", "_spots", "_centroids", "_centres", "_classes")
_FILE_SUFFIXES = frozenset({".png", ".tif", ".tiff", ".jpg", ".jpeg", ".csv", ".zarr"})

ACCEPTED_POSITIONS = "y,x or z,y,x (also y_um,x_um, centre_y_um, axis-0, centroid-0)"


def find_column(names: Sequence[str], accepted: Sequence[str]) -> str | None:
    """The first of `accepted` that is there, capitals aside, as the table spells it."""
    spelt = {name.strip().lower(): name for name in names}
    return next((spelt[name] for name in accepted if name in spelt), None)


def find_positions(names: Sequence[str], path: Path) -> tuple[tuple[str, ...], Unit]:
    """Columns of the positions in `zyx` order, and their unit.

    Raises
    ------
    InputError
        If there are none.
    """
    spelt = {name.strip().lower(): name for name in names}
    known: tuple[tuple[Unit, tuple[str, ...]], ...] = (("um", _IN_UM), ("px", _IN_PX))
    for unit, patterns in known:
        for pattern in patterns:
            for axes in ("zyx", "yx"):
                wanted = [pattern.format(axis=axis, i=i) for i, axis in enumerate(axes)]
                if all(name in spelt for name in wanted):
                    return tuple(spelt[name] for name in wanted), unit
    raise InputError(
        f"{path}: has no columns of positions among {', '.join(names) or 'none'}; {ACCEPTED_POSITIONS} are accepted. "
        "Name the columns of a text file with --columns"
    )


def table_name(path: Path) -> str:
    """Name of the image that a table belongs to."""
    stem = stem_of(path)
    for suffix in _TABLE_SUFFIXES:
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            return stem[: -len(suffix)]
    return without_label_suffix(stem)


def image_name(value: object) -> str:
    """Name of the image in a cell of a table: `a` of `a.png` and of `images/a.tif`, `7` of the number 7.0."""
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    path = Path(str(value))
    return without_label_suffix(stem_of(path)) if path.suffix.lower() in _FILE_SUFFIXES else str(value)
