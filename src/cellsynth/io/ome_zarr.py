"""OME-Zarr volumes, read part by part: NGFF 0.4 (Zarr 2) and 0.5 (Zarr 3), and arrays without its metadata.

NAME.zarr/                      an image: a group with `multiscales`
NAME.zarr/0, 1, ...             its levels, the first at full resolution
NAME.zarr/labels/               a group that lists its labels
NAME.zarr/labels/NUCLEI/0, ...  labels, which are a multiscale image of integers
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from .header import Header, is_length
from .memory import check_memory
from .zarr_array import Node, ZarrArray, is_zarr, read_node

__all__ = ["ZarrVolume", "is_zarr", "open_image", "open_labels"]

_UM = {
    "angstrom": 1e-4,
    "picometer": 1e-6,
    "nanometer": 1e-3,
    "micrometer": 1.0,
    "millimeter": 1e3,
    "centimeter": 1e4,
    "decimeter": 1e5,
    "meter": 1e6,
    "inch": 25400.0,
    # Not in the list of NGFF, and written all the same.
    "pm": 1e-6,
    "nm": 1e-3,
    "um": 1.0,
    "\u00b5m": 1.0,
    "\u03bcm": 1.0,
    "micron": 1.0,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
}
"""Micrometres of the units of length; the scale of an axis in another unit is not known."""

_LETTERS = {"time": "T", "channel": "C"}


@dataclass(frozen=True)
class ZarrVolume:
    """The full-resolution level of an image or of labels, as an array of the axes that have a length.

    Read with a slice for each axis; axes of one value but Y and X are left out, and spatial axes are in `zyx` order
    however they are stored.
    """

    source: Path
    """What the user named."""

    array: ZarrArray

    axes: str
    """One letter per axis of this volume: `T C Z Y X`, and `Q` for one that is not named."""

    order: tuple[int, ...]
    """Axis of the array for each of them."""

    voxel_um: tuple[float, float, float] | None
    """`zyx`; z is 1 in 2D; None where an axis has no unit of length."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Values per axis."""
        return tuple(self.array.shape[axis] for axis in self.order)

    @property
    def chunks(self) -> tuple[int, ...]:
        """Values per axis that are read together."""
        return tuple(self.array.chunks[axis] for axis in self.order)

    @property
    def dtype(self) -> np.dtype:
        """As stored."""
        return self.array.dtype

    @property
    def header(self) -> Header:
        """The same as of other formats."""
        return Header(
            path=self.source,
            format="zarr",
            axes=self.axes,
            shape=self.shape,
            dtype=self.dtype,
            bits=1 if self.dtype == bool else 8 * self.dtype.itemsize,
            photometric="minisblack",
            voxel_um=self.voxel_um,
        )

    def __getitem__(self, key: Any) -> np.ndarray:
        """Read a part.

        Raises
        ------
        InputError
            If a chunk is damaged or lies outside of the store.
        """
        keys = (slice(None),) * len(self.order) if key is Ellipsis else tuple(key)
        full: list[Any] = [0] * len(self.array.shape)
        for axis, part in zip(self.order, keys, strict=True):
            full[axis] = part
        stored = self.array[tuple(full)]
        kept = sorted(self.order)
        return np.transpose(stored, [kept.index(axis) for axis in self.order])

    def read(self) -> np.ndarray:
        """Read all of it.

        Raises
        ------
        InputError
            If it needs more memory than there is, or is damaged.
        """
        check_memory(self.source, self.shape, self.dtype)
        return np.ascontiguousarray(self[...])


def open_labels(path: Path) -> ZarrVolume:
    """Open a label volume; no value is read yet.

    Parameters
    ----------
    path
        Labels (`IMAGE.zarr/labels/NAME`), an image with one label volume in its `labels`, a multiscale image of
        integers, or a single array.

    Raises
    ------
    InputError
        If it is none of these, its metadata are damaged, or it holds several label volumes; lists them.
    """
    node = _series_of(read_node(path), path)
    if node.is_array:
        return _bare(path, node)
    names = _listed_labels(path, node)
    if names is None and node.has("labels") and "image-label" not in _ngff(node):
        inner = node.child("labels")
        names = _listed_labels(path, inner)
        node = inner if names else node
    if not names:
        if names is not None:
            raise InputError(f"{path}: lists no labels; give a label volume, IMAGE.zarr/labels/NAME")
        return _multiscale(path, node)
    if len(names) > 1:
        raise InputError(
            f"{path}: holds {len(names)} label volumes ({', '.join(names[:8])}); give the one that you mean, such as "
            f"{node.path / names[0]}"
        )
    return _multiscale(path, node.child(names[0]))


def open_image(path: Path) -> ZarrVolume:
    """Open an image; no value is read yet.

    Raises
    ------
    InputError
        If it is no image, or its metadata are damaged.
    """
    node = _series_of(read_node(path), path)
    return _bare(path, node) if node.is_array else _multiscale(path, node)


def _ngff(node: Node) -> Mapping[str, Any]:
    """Metadata of NGFF: under `ome` since 0.5."""
    inner = node.attributes.get("ome", node.attributes)
    return inner if isinstance(inner, dict) else {}


def _series_of(node: Node, path: Path) -> Node:
    """The image of a file that was converted by bioformats2raw, where it holds one."""
    found = _ngff(node)
    for key in ("plate", "well"):
        if key in found:
            raise InputError(
                f"{path}: is a {key} of many images; give one of its fields, such as {path}/A/1/0"
            )
    if "bioformats2raw.layout" not in found or "multiscales" in found:
        return node
    series = sorted(p.name for p in node.path.iterdir() if p.name.isdecimal() and is_zarr(p))
    if len(series) != 1:
        raise InputError(
            f"{path}: holds {len(series)} images ({', '.join(series[:8])}); give the one that you mean, such as "
            f"{path / '0'}"
        )
    return node.child(series[0])


def _listed_labels(path: Path, node: Node) -> list[str] | None:
    """Names of the labels in a `labels` group; None where it is no such group."""
    names = _ngff(node).get("labels")
    if names is None:
        return None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(
            f"{path}: its list of labels is {names!r:.60}; it is damaged, so copy or save it again"
        )
    return names


def _bare(path: Path, node: Node) -> ZarrVolume:
    """An array without NGFF: the last two axes are Y and X, unless its dimensions are named."""
    array = ZarrArray.of(node)
    names = [(name or "").lower() for name in array.dimension_names]
    letters = [name.upper() if name in ("t", "c", "z", "y", "x") else "Q" for name in names]
    if "Q" in letters or len(set(letters)) < len(letters):
        letters = ["Q"] * (len(letters) - 2) + ["Y", "X"][-len(letters) :]
    return _volume(path, array, letters, None)


def _multiscale(path: Path, node: Node) -> ZarrVolume:
    """The first level, which is the one at full resolution."""
    found = _ngff(node).get("multiscales")
    if found is None:
        raise InputError(
            f"{path}: is a Zarr group without the metadata of an image (NGFF `multiscales`); give an OME-Zarr image, "
            "or one array of the group"
        )
    try:
        image = found[0]
        level = image["datasets"][0]
        name, axes = level["path"], image.get("axes")
        steps = [*level.get("coordinateTransformations", []), *(image.get("coordinateTransformations") or [])]
        scales = [step["scale"] for step in steps if step["type"] == "scale"]
        if not isinstance(name, str):
            raise TypeError(name)
    except (LookupError, TypeError, AttributeError) as error:
        raise _damaged(path, f"its `multiscales` cannot be understood ({error!r:.80})") from error
    array = ZarrArray.of(node.child(name))
    letters, units = _axes(path, axes, len(array.shape))
    return _volume(path, array, letters, _sizes_um(path, letters, units, scales))


def _axes(path: Path, axes: Any, n: int) -> tuple[list[str], list[float | None]]:
    """Letter of every axis, and micrometres in its unit; None where that is no length."""
    if axes is None and n == 5:
        axes = list("tczyx")  # NGFF 0.1 and 0.2 know no others
    if not isinstance(axes, list) or len(axes) != n:
        raise _damaged(path, f"it has {n} axes, and its metadata name {axes!r:.80}")
    letters: list[str] = []
    units: list[float | None] = []
    for axis in axes:
        entry = axis if isinstance(axis, dict) else {"name": axis}
        name, kind, unit = entry.get("name"), entry.get("type"), entry.get("unit")
        if not isinstance(name, str):
            raise _damaged(path, f"an axis is called {name!r:.60}")
        letter = name.upper() if name.lower() in ("t", "c", "z", "y", "x") else _LETTERS.get(str(kind), "Q")
        letters.append(letter)
        units.append(_UM.get(unit) if isinstance(unit, str) else None)
    if {"Y", "X"} - set(letters) or any(letters.count(a) > 1 for a in "TCZYX"):
        spatial = [i for i, letter in enumerate(letters) if letter in "QZYX"]
        if len(spatial) not in (2, 3):
            raise _damaged(path, f"its axes are {[*map(str, axes)]!r:.80}; two or three must be of space")
        for i, letter in zip(spatial, "ZYX"[-len(spatial) :], strict=True):
            letters[i] = letter
    return letters, units


def _sizes_um(
    path: Path, letters: list[str], units: list[float | None], scales: list[Any]
) -> tuple[float, float, float] | None:
    """Size of a voxel along `zyx`; None where it is not known."""
    factors = [1.0] * len(letters)
    for scale in scales:
        if (
            not isinstance(scale, list)
            or len(scale) != len(letters)
            or not all(isinstance(v, int | float) for v in scale)
        ):
            raise _damaged(path, f"the scale of its first level is {scale!r:.80}")
        factors = [a * float(b) for a, b in zip(factors, scale, strict=True)]
    if not scales:
        return None
    sizes = {}
    for letter, unit, factor in zip(letters, units, factors, strict=True):
        if letter not in "ZYX":
            continue
        if unit is None:
            return None
        if not is_length(factor * unit):
            raise _damaged(path, f"a voxel has the size {factor:g} along {letter}")
        sizes[letter] = _rounded(factor * unit)
    return sizes.get("Z", 1.0), sizes["Y"], sizes["X"]


def _rounded(size_um: float) -> float:
    """Take away what the change of the unit added: 12 significant digits."""
    return float(f"{size_um:.12g}") if math.isfinite(size_um) else size_um


def _volume(
    path: Path, array: ZarrArray, letters: list[str], voxel_um: tuple[float, float, float] | None
) -> ZarrVolume:
    kept = [i for i, letter in enumerate(letters) if array.shape[i] > 1 or letter in "YX"]
    places = iter(sorted((i for i in kept if letters[i] in "ZYX"), key=lambda i: "ZYX".index(letters[i])))
    order = [next(places) if letters[i] in "ZYX" else i for i in kept]
    if 0 in array.shape:
        raise InputError(f"{path}: has no voxel, shape {array.shape}; check how it was made")
    return ZarrVolume(Path(path), array, "".join(letters[i] for i in order), tuple(order), voxel_um)


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path}: is no valid OME-Zarr image: {what}; it is damaged, so copy or save it again")
