"""PointSet: the points of many images, from tables, or the centroids of label images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import InputError
from ..core.types import Labels, Points
from ..io.columns import SUFFIXES, numbers_of, read_columns, whole_numbers_of
from ._folder_files import natural_key
from ._named_columns import (
    CLASS_COLUMNS,
    IMAGE_COLUMNS,
    Unit,
    find_column,
    find_positions,
    image_name,
    table_name,
)
from .class_table import ClassTables, read_classes
from .dataset import has_objects, is_dataset
from .image_set import raise_together
from .label_set import LabelSet, read_labels

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class PointTable:
    """Points of one image."""

    positions: Points
    """(n, 2) or (n, 3), `zyx`, float64."""

    unit: Unit

    classes: np.ndarray | None = None
    """(n,) whole numbers, or names as text; None where there are none."""

    @property
    def ndim(self) -> int:
        """Axes: 2 or 3."""
        return self.positions.shape[1]


@dataclass(frozen=True)
class PointSet:
    """Points by the name of their image."""

    source: Path

    tables: Mapping[str, PointTable] = field(default_factory=dict)

    labels: LabelSet | None = None
    """Label images whose centroids are the points; `tables` is empty then."""

    label_classes: ClassTables | None = None
    """Classes of the objects of the label images."""

    is_one_table: bool = False
    """All images stand in one table, so that one without points is not there at all."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the images, in order; unique."""
        return self.labels.names if self.labels is not None else tuple(self.tables)

    def voxel_um(self, name: str) -> tuple[float, ...] | None:
        """Size of a voxel of the image, where its labels say so."""
        return self.labels.voxel_um.get(name) if self.labels is not None else None

    @property
    def is_of_one_image(self) -> bool:
        """One file or volume, which was named itself, of one image."""
        if self.labels is not None:
            return self.labels.is_one_file
        return self.source.is_file() and not self.is_one_table

    def as_partner_of(self, reference: "PointSet") -> "PointSet":
        """Itself; where both sides are one file of one image, under the name of the reference: there is no doubt."""
        if not (self.is_of_one_image and reference.is_of_one_image):
            return self
        name = reference.names[0]
        if self.labels is None:
            return replace(self, tables={name: self.tables[self.names[0]]})
        return replace(self, labels=self.labels.renamed(name))

    def load(self, name: str) -> PointTable | None:
        """Points of an image; None for an image that the common table of all does not name.

        Raises
        ------
        InputError
            If a label image is damaged.
        """
        if self.labels is None:
            return self.tables.get(name)
        ids, positions = centroids_of(self.labels.load(name, keeps_ids=True))
        return PointTable(positions, "px", self._classes_of(name, ids))

    def _classes_of(self, name: str, ids: np.ndarray) -> np.ndarray | None:
        if self.label_classes is None:
            return None
        known = self.label_classes.of(name)
        missing = [i for i in ids.tolist() if i not in known]
        if missing:
            raise InputError(
                f"{self.label_classes.source}: has no class for object {missing[0]} of {name}; give every object one"
            )
        return np.array([known[i] for i in ids.tolist()], np.int64)


def centroids_of(labels: Labels) -> tuple[np.ndarray, Points]:
    """Ids of the objects, ascending, and the centre of mass of each in voxels; a voxel's centre has whole numbers."""
    ids, place = np.unique(labels, return_inverse=True)
    place = place.reshape(labels.shape)
    counts = np.bincount(place.ravel(), minlength=len(ids))
    centres = np.empty((len(ids), labels.ndim))
    for axis, length in enumerate(labels.shape):
        sums = np.zeros(len(ids))
        for i in range(length):  # plane by plane: no array with the coordinates of every voxel
            sums += i * np.bincount(np.take(place, i, axis=axis).ravel(), minlength=len(ids))
        centres[:, axis] = sums / counts
    is_object = ids > 0
    return ids[is_object].astype(np.int64), centres[is_object]


def read_points(path: Path, *, columns: Sequence[str] | None = None) -> PointSet:
    """Read the points of many images.

    Parameters
    ----------
    path
        A folder of tables (CSV, TSV, TXT, Parquet), one per image and called like it; one table, with a column `image`
        where it holds several images; or label images or a dataset folder, whose points are the centroids of the
        objects.
    columns
        Names of the columns of text files without a header, in order: `x y class`.

    Raises
    ------
    InputError
        If there are no points, two files are of one image, or one cannot be used; all problems of a folder at once.
    """
    path = Path(path)
    if is_dataset(path):
        classes = read_classes(path) if has_objects(path) else None
        return PointSet(path, labels=read_labels(path), label_classes=classes)
    if path.is_file():
        if path.suffix.lower() not in SUFFIXES:
            return PointSet(path, labels=read_labels(path))
        return _of_one_table(path, columns)
    files = _table_files(path)
    if not files:
        return PointSet(path, labels=read_labels(path))
    tables: dict[str, PointTable] = {}
    origin: dict[str, Path] = {}
    problems: list[str] = []
    for file in files:
        name = table_name(file)
        if name in origin:
            problems.append(f"{path}: {origin[name].name} and {file.name} are both of {name!r}; keep one")
            continue
        origin[name] = file
        try:
            tables[name] = _points_of(read_columns(file, columns), file)
        except InputError as error:
            problems.append(str(error))
    raise_together(path, problems)
    return PointSet(path, tables)


def pair_points(prediction: PointSet, reference: PointSet) -> tuple[str, ...]:
    """Names of the images to compare, in the order of the reference.

    An image that a table of all images does not name has no point there.

    Raises
    ------
    InputError
        If one side has an image that the other lacks.
    """
    known, wanted = set(prediction.names), set(reference.names)
    problems = []
    if known - wanted and not reference.is_one_table:
        problems.append(f"only in the prediction {_listed(known - wanted)}")
    if wanted - known and not prediction.is_one_table:
        problems.append(f"only in the reference {_listed(wanted - known)}")
    if problems:
        raise InputError(
            f"{prediction.source} and {reference.source} do not hold the same images: {'; '.join(problems)}. Names "
            "must be equal but for the extension; a file without points has a line with the names of its columns"
        )
    return (*reference.names, *(name for name in prediction.names if name not in wanted))


def _table_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []  # the reader of labels says what is wrong
    found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
    return sorted((p for p in found if p.is_file()), key=natural_key)


def _points_of(table: "pd.DataFrame", path: Path) -> PointTable:
    names = list(table.columns)
    columns, unit = find_positions(names, path)
    positions = np.stack([numbers_of(table, column, path) for column in columns], axis=1)
    class_column = find_column(names, CLASS_COLUMNS)
    return PointTable(positions, unit, _class_values(table, class_column, path) if class_column else None)


def _class_values(table: "pd.DataFrame", column: str, path: Path) -> np.ndarray:
    """Whole numbers, or names where the table has text."""
    if table[column].dtype.kind in "iuf":
        return whole_numbers_of(table, column, path)
    return np.array([str(value) for value in table[column]], object)


def _of_one_table(path: Path, columns: Sequence[str] | None) -> PointSet:
    table = read_columns(path, columns)
    column = find_column(list(table.columns), IMAGE_COLUMNS)
    if column is None:
        return PointSet(path, {table_name(path): _points_of(table, path)})
    groups = table.groupby(table[column].map(image_name), sort=False)
    return PointSet(path, {str(name): _points_of(rows, path) for name, rows in groups}, is_one_table=True)


def _listed(names: set[str], n: int = 4) -> str:
    more = f" and {len(names) - n} more" if len(names) > n else ""
    return ", ".join(sorted(names)[:n]) + more
