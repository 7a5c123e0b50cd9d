"""Tables of numbers with named columns, from text (CSV, TSV) or Parquet; nothing in them is trusted."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import InputError
from .memory import available_bytes
from .tables import read_parquet

if TYPE_CHECKING:
    import pandas as pd

TEXT_SUFFIXES = frozenset({".csv", ".tsv", ".txt"})
SUFFIXES = TEXT_SUFFIXES | {".parquet"}
"""What names of tables end in."""

_DELIMITERS = (",", "\t", ";")
_LARGEST_PART = 0.1
"""Part of the available memory that the text of one table may take; in memory it is several times as large."""


def read_columns(path: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Read a table whose columns have names; numbers of text files become numbers where all of a column are.

    Text is separated by commas, tabs, semicolons or blanks, which the first line decides.

    Parameters
    ----------
    columns
        Names of the columns, in order, for a text file without a header; a header that is there all the same is left
        out. A Parquet file has names of its own.

    Raises
    ------
    InputError
        If the file is missing, no such table, too large, or has no header; if lines have not the same number of fields.
    """
    path = Path(path)
    if path.suffix.lower() == ".parquet":
        table = read_parquet(path)
        table.columns = [str(name) for name in table.columns]
        return table
    rows, numbers = _read_text(path)
    header = list(columns) if columns is not None else (rows[0] if rows else [])
    if not header:
        raise InputError(
            f"{path}: is empty; a table has a line with the names of its columns, such as y,x, also where it has no "
            "rows, or name them with --columns"
        )
    if columns is None and all(_is_number(field) for field in header):
        raise InputError(
            f"{path}: begins with numbers ({', '.join(header[:4])}) and not with the names of its columns; name them "
            "in their order, such as --columns x,y,class"
        )
    if columns is None or (rows and not any(_is_number(field) for field in rows[0])):
        rows, numbers = rows[1:], numbers[1:]
    for row, number in zip(rows, numbers, strict=True):
        if len(row) != len(header):
            raise InputError(
                f"{path}, line {number}: has {len(row)} fields and the columns are {len(header)}: {', '.join(header)}; "
                "every line needs one field per column"
            )
    repeated = next((name for name in header if header.count(name) > 1), None)
    if repeated is not None:
        raise InputError(f"{path}: has two columns called {repeated!r}; every column needs a name of its own")
    return _as_frame(header, rows)


def numbers_of(table: "pd.DataFrame", column: str, path: Path) -> np.ndarray:
    """A column as finite float64.

    Raises
    ------
    InputError
        If a value is no finite number; names its row.
    """
    import pandas as pd

    values = pd.to_numeric(table[column], errors="coerce").to_numpy(float, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(
            f"{path}: column {column!r} has {len(bad)} values that are no finite numbers, the first in row "
            f"{bad[0] + 1}: {str(table[column].iloc[bad[0]])!r}; leave out rows without a value"
        )
    return values


def whole_numbers_of(table: "pd.DataFrame", column: str, path: Path) -> np.ndarray:
    """A column as int64.

    Raises
    ------
    InputError
        If a value is no whole number.
    """
    values = numbers_of(table, column, path)
    bad = np.flatnonzero((values != np.rint(values)) | (np.abs(values) > 2**53))
    if len(bad):
        raise InputError(
            f"{path}: column {column!r} has {values[bad[0]]:g} in row {bad[0] + 1}; whole numbers are needed"
        )
    return values.astype(np.int64)


def _read_text(path: Path) -> tuple[list[list[str]], list[int]]:
    """Fields of every line that is not blank, and the numbers of these lines."""
    try:
        size = path.stat().st_size
        if size > _LARGEST_PART * available_bytes():
            raise InputError(f"{path}: has {size:,} bytes, too many for one table; split it by image")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that it exists") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no text in UTF-8; save the table as CSV (UTF-8)") from error
    if "\0" in text:
        raise InputError(f"{path}: is no text; save the table as CSV (UTF-8)")
    lines = [(line, n) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
    first = lines[0][0] if lines else ""
    counts = {mark: first.count(mark) for mark in _DELIMITERS}
    delimiter = max(counts, key=lambda mark: counts[mark])
    if not counts[delimiter]:
        return [line.split() for line, _ in lines], [n for _, n in lines]
    try:
        rows = [
            [field.strip() for field in next(csv.reader(io.StringIO(line), delimiter=delimiter, strict=True))]
            for line, _ in lines
        ]
    except csv.Error as error:
        raise InputError(f"{path}: is no table ({error}); check its quotation marks") from error
    return rows, [n for _, n in lines]


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _as_frame(header: list[str], rows: list[list[str]]) -> "pd.DataFrame":
    import pandas as pd

    columns = {}
    for i, name in enumerate(header):
        fields = [row[i] for row in rows]
        columns[name] = (
            np.array([float(f) for f in fields]) if all(map(_is_number, fields)) else np.array(fields, object)
        )
    return pd.DataFrame(columns)
