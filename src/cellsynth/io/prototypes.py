"""Keep a bank of prototypes in one `.npz` file: plain arrays, nothing that could run."""

from math import prod
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.shapes import PrototypeBank
from .atomic import replacing
from .weights import read_weights

_EXPECTED = {"shape_px": 2, "voxel_um": 2, "mask": 1, "texture": 1}
"""Name and axes of each array."""


def write_prototypes(path: Path, bank: PrototypeBank) -> None:
    """Write all masks, textures and voxel sizes; the frames are worked out again when they are read."""
    with replacing(path) as file:
        np.savez_compressed(
            file,
            shape_px=np.array([mask.shape for mask in bank.masks], np.int64),
            voxel_um=np.asarray(bank.voxel_um, np.float64),
            mask=np.concatenate([np.ravel(mask) for mask in bank.masks]),
            texture=np.concatenate([np.ravel(texture) for texture in bank.textures]).astype(np.float32),
        )


def read_prototypes(path: Path) -> PrototypeBank:
    """Read what `write_prototypes` wrote.

    Raises
    ------
    InputError
        If it is no such file, holds Python objects, announces more than it has or than fits into memory, or its
        parts do not belong together.
    """
    arrays = read_weights(path)
    if {name: array.ndim for name, array in arrays.items()} != _EXPECTED:
        raise InputError(
            f"{path}: holds {sorted(arrays)} and no bank of prototypes, which has {sorted(_EXPECTED)}; make one with "
            "write_prototypes"
        )
    shape_px, voxel_um, mask, texture = (arrays[name] for name in _EXPECTED)
    _check(path, shape_px, voxel_um, mask, texture)
    shapes = [tuple(row) for row in shape_px.tolist()]
    cuts = np.cumsum([prod(shape) for shape in shapes])[:-1]
    return PrototypeBank(
        [part.reshape(shape) != 0 for part, shape in zip(np.split(mask, cuts), shapes, strict=True)],
        [
            part.reshape(shape).astype(np.float32)
            for part, shape in zip(np.split(texture, cuts), shapes, strict=True)
        ],
        voxel_um.astype(np.float64),
    )


def _check(
    path: Path, shape_px: np.ndarray, voxel_um: np.ndarray, mask: np.ndarray, texture: np.ndarray
) -> None:
    if shape_px.dtype.kind not in "iu" or mask.dtype != np.bool_ or voxel_um.dtype.kind != "f":
        raise InputError(
            f"{path}: shapes are {shape_px.dtype}, voxel sizes {voxel_um.dtype} and masks {mask.dtype}; needs "
            "integers, floats and booleans"
        )
    if len(shape_px) == 0 or shape_px.shape != voxel_um.shape or shape_px.shape[1] not in (2, 3):
        raise InputError(
            f"{path}: has shapes of {shape_px.shape} and voxel sizes of {voxel_um.shape}; needs one row of two or "
            "three numbers for each prototype in both"
        )
    n_voxels = sum(
        prod(row) if min(row) > 0 else -1 for row in shape_px.tolist()
    )  # Python's integers do not overflow
    if shape_px.min() < 1 or n_voxels != mask.size or n_voxels != texture.size:
        raise InputError(
            f"{path}: announces {n_voxels} voxels and has {mask.size} of masks and {texture.size} of textures; get "
            "the file again"
        )
    if not (np.isfinite(texture).all() and np.isfinite(voxel_um).all() and (voxel_um > 0).all()):
        raise InputError(f"{path}: has values that are NaN, infinite or sizes of zero; get the file again")
