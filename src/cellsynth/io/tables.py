"""Tables as Parquet and plain values as JSON; equal content gives equal bytes."""

import io
import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.errors import InputError
from .atomic import write_bytes

if TYPE_CHECKING:
    import pandas as pd


def write_parquet(path: Path, table: "pd.DataFrame") -> None:
    """Write a table, without its index.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    import pyarrow as pa  # here, and not above: a worker that writes images does without
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), buffer, compression="zstd")
    write_bytes(path, buffer.getvalue())


def read_parquet(path: Path) -> "pd.DataFrame":
    """Read a table.

    Raises
    ------
    InputError
        If the file is missing, damaged or no Parquet file.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read().to_pandas()
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"{path}: cannot be read as a Parquet table ({_first_line(error)})") from error


def to_json(data: Any, *, is_sorted: bool = False) -> bytes:
    """Encode plain values, NumPy numbers and arrays, and paths as JSON; NaN and infinity become null.

    Parameters
    ----------
    is_sorted
        Sort keys, so that equal dictionaries give equal bytes whatever their order.
    """
    text = json.dumps(plain(data), indent=2, sort_keys=is_sorted, ensure_ascii=False, allow_nan=False)
    return text.encode() + b"\n"


def write_json(path: Path, data: Any, *, is_sorted: bool = False) -> None:
    """Write plain values as JSON; see `to_json`.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    write_bytes(path, to_json(data, is_sorted=is_sorted))


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises
    ------
    InputError
        If the file is missing, damaged, or holds something else.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that it exists") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no valid JSON ({_first_line(error)})") from error
    if not isinstance(data, dict):
        raise InputError(f"{path}: holds a JSON {type(data).__name__}, and an object {{...}} is expected")
    return data


def plain(value: Any) -> Any:
    """Turn NumPy numbers, arrays, tuples and paths into what JSON and YAML hold; NaN and infinity into None."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, Path):
        return value.as_posix()
    if type(value).__name__ == "NAType":  # of pandas, which is not imported for this
        return None
    return value


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
