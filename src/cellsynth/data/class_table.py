"""Classes of the objects of label images, which label images do not hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import InputError
from ..io.columns import SUFFIXES, read_columns, whole_numbers_of
from ._folder_files import natural_key
from ._named_columns import CLASS_COLUMNS, ID_COLUMNS, IMAGE_COLUMNS, find_column, image_name, table_name
from .dataset import is_dataset, read_objects

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ClassTables:
    """Class of every object, by image."""

    source: Path

    classes: Mapping[str, Mapping[int, int]]
    """Name of the image to (id of the object to its class, 1 or more; 0 for none). The name is empty in a table
    that does not say of which image it is."""

    def of(self, image: str) -> Mapping[int, int]:
        """Classes of the objects of an image; empty where it has none."""
        return self.classes.get(image) or self.classes.get("", {})

    def check_names(self, names: Sequence[str]) -> None:
        """Refuse a table that does not say of which of several images it is.

        Raises
        ------
        InputError
            If so.
        """
        if "" in self.classes and len(names) > 1:
            raise InputError(
                f"{self.source}: has no column image, and there are {len(names)} images; name the image in every row, "
                "or give a folder with one table per image"
            )


def read_classes(path: Path) -> ClassTables:
    """Read classes of objects: columns `id` and `class`, and `image` where a table holds several images.

    Parameters
    ----------
    path
        One table (CSV, TSV, TXT, Parquet), a folder of tables called like their images, or a dataset folder, whose
        simulated objects have classes.

    Raises
    ------
    InputError
        If a column is missing, an object is there twice, or a class is no whole number from 0.
    """
    path = Path(path)
    if is_dataset(path):
        table = read_objects(path)
        if table.empty:
            raise InputError(f"{path}: is a dataset without simulated objects, so it has no classes")
        return ClassTables(path, _by_image(table, "sample", path))
    if path.is_dir():
        files = sorted(
            (p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")),
            key=natural_key,
        )
        if not files:
            raise InputError(f"{path}: holds no table of classes; {', '.join(sorted(SUFFIXES))} are accepted")
        return ClassTables(path, {table_name(file): _classes_of(read_columns(file), file) for file in files})
    table = read_columns(path)
    column = find_column(list(table.columns), IMAGE_COLUMNS)
    if column is None:
        return ClassTables(path, {"": _classes_of(table, path)})
    return ClassTables(path, _by_image(table, column, path))


def _by_image(table: "pd.DataFrame", column: str, path: Path) -> dict[str, dict[int, int]]:
    groups = table.groupby(table[column].map(image_name), sort=False)
    return {str(name): _classes_of(rows, path) for name, rows in groups}


def _classes_of(table: "pd.DataFrame", path: Path) -> dict[int, int]:
    names = list(table.columns)
    id_column, class_column = find_column(names, ID_COLUMNS), find_column(names, CLASS_COLUMNS)
    if id_column is None or class_column is None:
        raise InputError(
            f"{path}: has the columns {', '.join(names) or 'none'}; a table of classes has id (or label) and class, "
            "and image where it holds several images"
        )
    ids, classes = (whole_numbers_of(table, column, path) for column in (id_column, class_column))
    if len(classes) and classes.min() < 0:
        raise InputError(f"{path}: has the class {classes.min()}; classes are 1 or more, 0 for none")
    unique, counts = np.unique(ids, return_counts=True)
    if len(unique) < len(ids):
        raise InputError(f"{path}: object {unique[counts > 1][0]} is there twice; each has one class")
    return dict(zip(ids.tolist(), classes.tolist(), strict=True))
