"""Instance labels to a file: uint16, or uint32 where there are more than 65,535 cells."""

from pathlib import Path

import numpy as np

from ..core.types import Labels
from .tiff import write_tiff


def write_labels(
    path: Path,
    labels: Labels,
    *,
    voxel_um: tuple[float, ...] | None = None,
    name: str = "",
    is_synced: bool = True,
) -> None:
    """Write labels as TIFF; equal labels give equal bytes.

    Parameters
    ----------
    labels : (Y, X) or (Z, Y, X), integers >= 0
    voxel_um
        Size of a voxel per axis, `zyx`; None where it is not known.
    name
        Kept in the file as the name of the image.
    is_synced
        As in `atomic.replacing`.

    Raises
    ------
    TypeError
        If `labels` are no integers.
    ValueError
        If ids are negative or above 2**32 - 1.
    StorageError
        If the file cannot be written.
    """
    axes = "ZYX"[-labels.ndim :]
    write_tiff(path, as_stored(labels), axes=axes, voxel_um=voxel_um, name=name, is_synced=is_synced)


def as_stored(labels: Labels) -> np.ndarray:
    """Labels in the smallest type that files hold: uint16, or uint32 where ids need it.

    Raises
    ------
    TypeError
        If `labels` are no integers.
    ValueError
        If ids are negative or above 2**32 - 1.
    """
    if labels.dtype.kind not in "ui":
        raise TypeError(f"labels are {labels.dtype}; integers are accepted, 0 for background and ids from 1")
    low, high = int(labels.min(initial=0)), int(labels.max(initial=0))
    if low < 0:
        raise ValueError(f"labels go down to {low}; ids are 0 for background and from 1 for cells")
    if high > np.iinfo(np.uint32).max:
        raise ValueError(f"labels go up to {high}; ids up to {np.iinfo(np.uint32).max} can be stored")
    return labels.astype(np.uint16 if high <= np.iinfo(np.uint16).max else np.uint32)
