"""Write an OME-Zarr volume (NGFF 0.5) block by block; it appears under its name when it is whole.

>>> draft = create(path, shape, np.uint16, axes="ZYX", voxel_um=(2, 0.5, 0.5), is_labels=True)  # doctest: +SKIP
>>> for box in boxes:                         # anywhere: other threads, processes, machines     # doctest: +SKIP
...     write_block(draft, box, pixels)
>>> finish(draft)                                                                               # doctest: +SKIP
"""

import json
import logging
import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import add
from pathlib import Path
from typing import Any

import numpy as np

from ..core.blocks import BlockWork, cut, suitable_block
from ..core.errors import OutputExistsError
from ..core.grid import Box
from .atomic import make_folder, storage_error, sync_files, write_bytes
from .zarr_array import ZarrArray, is_zarr, read_node

_CHUNK_PX = {2: (1024, 1024), 3: (128, 128, 128)}
_SMALLEST_LEVEL_PX = 256
_TYPES = ("uint8", "uint16", "uint32", "float32")
_AXES = {
    "C": {"name": "c", "type": "channel"},
    "Z": {"name": "z", "type": "space"},
    "Y": {"name": "y", "type": "space"},
    "X": {"name": "x", "type": "space"},
}


@dataclass(frozen=True)
class Draft:
    """A volume in the making; cheap to send to another process."""

    path: Path
    """Where it will be."""

    folder: Path
    """Where it is written; hidden, beside `path`."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    dtype: str
    axes: str
    voxel_um: tuple[float, ...] | None
    is_labels: bool
    level: int = 0

    @property
    def n_spatial(self) -> int:
        """2 or 3."""
        return len(self.axes.replace("C", ""))


def create(
    path: Path,
    shape: tuple[int, ...],
    dtype: Any,
    *,
    axes: str,
    voxel_um: tuple[float, ...] | None = None,
    chunks: tuple[int, ...] | None = None,
    is_labels: bool = False,
    folder: Path | None = None,
) -> Draft:
    """Begin a volume; nothing is seen under `path` before `finish`.

    Parameters
    ----------
    path
        A new `NAME.zarr`; or `IMAGE.zarr/labels/NAME`, which is then listed among the labels of that image.
    dtype
        uint8, uint16, uint32 or float32.
    axes
        One letter per axis: `YX`, `ZYX`, `CYX` or `CZYX`.
    voxel_um
        Size of a voxel per spatial axis, `zyx`; None where it is not known.
    chunks
        Values per axis that are compressed together; by default 128 along each axis, 1024 in 2D.
    folder
        Where it is written until it is finished, on the same disk, for a run that may go on after an interruption;
        by default a hidden folder beside `path`. What is there already is removed.

    Raises
    ------
    OutputExistsError
        If there is something under that name.
    StorageError
        If nothing can be written there.
    TypeError
        If type, axes and shape do not describe an image.
    """
    name = np.dtype(dtype).name
    if axes not in ("YX", "ZYX", "CYX", "CZYX") or len(axes) != len(shape) or 0 in shape:
        raise TypeError(f"axes {axes!r} and shape {shape} do not describe an image")
    if name not in _TYPES or (is_labels and (name == "float32" or "C" in axes)):
        raise TypeError(
            f"{name} {axes} is not written as {'labels' if is_labels else 'an image'}; convert first"
        )
    path = Path(path)
    if path.exists():
        raise OutputExistsError(f"{path}: exists already, and nothing is overwritten; choose another name")
    spatial = axes.replace("C", "")
    chosen = chunks or ((1,) * (len(axes) - len(spatial)) + _CHUNK_PX[len(spatial)])
    make_folder(path.parent)
    if folder is None:
        folder = path.parent / f".cellsynth-{secrets.token_hex(8)}"
    elif folder.exists():
        shutil.rmtree(folder)
    draft = Draft(
        path=path,
        folder=make_folder(folder),
        shape=tuple(int(n) for n in shape),
        chunks=tuple(min(int(c), int(n)) for c, n in zip(chosen, shape, strict=True)),
        dtype=name,
        axes=axes,
        voxel_um=voxel_um,
        is_labels=is_labels,
    )
    _make_array(draft)
    return draft


def create_labels(image: Draft, name: str, dtype: Any) -> Draft:
    """Begin labels of an image that is being written: inside of it, on its sampling, with its chunks.

    `finish(image, [labels])` finishes both.
    """
    n = image.n_spatial
    draft = replace(
        image,
        path=image.path / "labels" / name,
        folder=make_folder(image.folder / "labels" / name),
        shape=image.shape[-n:],
        chunks=image.chunks[-n:],
        dtype=np.dtype(dtype).name,
        axes=image.axes[-n:],
        is_labels=True,
    )
    _make_array(draft)
    return draft


def write_block(draft: Draft, box: Box, pixels: np.ndarray) -> None:
    """Write a box; boxes may be written in any order, at the same time, and again.

    Parameters
    ----------
    box
        Along the chunks: it begins at one, and ends at one or at the end of the axis.

    Raises
    ------
    StorageError
        If the disk is full or may not be written.
    TypeError
        If box and pixels do not fit, or the box cuts a chunk, which two writers could then spoil for each other.
    """
    is_cut = any(
        a % c or (b % c and b != n)
        for a, b, c, n in zip(box.start, box.stop, draft.chunks, draft.shape, strict=True)
    )
    if is_cut or pixels.shape != box.shape or pixels.dtype.name != draft.dtype:
        raise TypeError(
            f"a block of {pixels.dtype} {pixels.shape} does not fit {box} of {draft.dtype} with chunks of "
            f"{draft.chunks}"
        )
    import zarr

    try:
        zarr.open_array(str(draft.folder / str(draft.level)), mode="r+")[box.slices] = pixels
    except OSError as error:
        _say_it_once()
        raise storage_error(draft.path, error) from error


@lru_cache(maxsize=1)
def _say_it_once() -> None:
    """Where several chunks fail at a time Zarr raises one error, and the others would be printed when freed."""
    logging.getLogger("asyncio").addFilter(lambda record: "never retrieved" not in record.getMessage())


def finish(draft: Draft, labels: Sequence[Draft] = (), work: BlockWork | None = None) -> Path:
    """Add the smaller levels and the metadata, and give the volume its name.

    Levels are halved along the axes whose voxels are not much longer than others, until they are small. Labels take
    every second voxel, images the mean.

    Parameters
    ----------
    labels
        Those that `create_labels` began in it.
    work
        Who makes the levels; by default this thread.

    Raises
    ------
    OutputExistsError
        If something has come to be under that name.
    StorageError
        If it cannot be written.
    """
    complete(draft, labels, work)
    return publish(draft)


def complete(draft: Draft, labels: Sequence[Draft] = (), work: BlockWork | None = None) -> None:
    """Add the smaller levels and the metadata, where it is written; see `finish`."""
    for each in (draft, *labels):
        drafts = [each]
        while max(drafts[-1].shape[-each.n_spatial :]) > _SMALLEST_LEVEL_PX:
            drafts.append(_halved(drafts[-1], work or BlockWork(n_workers=1)))
        _write_json(each.folder / "zarr.json", _group(_metadata(drafts)))
    if labels:
        names = [each.path.name for each in labels]
        _write_json(draft.folder / "labels" / "zarr.json", _group({"version": "0.5", "labels": names}))


def publish(draft: Draft) -> Path:
    """Give a complete volume its name; see `finish`."""
    if draft.path.exists():
        discard(draft)
        raise OutputExistsError(
            f"{draft.path}: exists by now, and nothing is overwritten; choose another name"
        )
    sync_files(path for path in sorted(draft.folder.rglob("*")) if path.is_file())
    try:
        draft.folder.rename(draft.path)
    except OSError as error:
        raise storage_error(draft.path, error) from error
    if draft.is_labels and draft.path.parent.name == "labels" and is_zarr(draft.path.parent.parent):
        _list_label(draft.path.parent, draft.path.name)
    return draft.path


def discard(draft: Draft) -> None:
    """Remove a volume that will not be finished."""
    shutil.rmtree(draft.folder, ignore_errors=True)


@contextmanager
def written(path: Path, shape: tuple[int, ...], dtype: Any, **options: Any) -> Iterator[Draft]:
    """Draft that is finished when the block ends well, and removed where it does not; options as of `create`."""
    draft = create(path, shape, dtype, **options)
    try:
        yield draft
        finish(draft)
    except BaseException:
        discard(draft)
        raise


def _make_array(draft: Draft) -> None:
    import zarr
    from zarr.codecs import ZstdCodec

    try:
        zarr.create_array(
            str(draft.folder / str(draft.level)),
            shape=draft.shape,
            chunks=draft.chunks,
            dtype=draft.dtype,
            # The checksum finds what a disk or a copy has changed.
            compressors=[ZstdCodec(level=3, checksum=True)],
            fill_value=0,
            dimension_names=[axis.lower() for axis in draft.axes],
            zarr_format=3,
        )
    except OSError as error:
        raise storage_error(draft.path, error) from error


def _halved(finer: Draft, work: BlockWork) -> Draft:
    """Write the level below this one, in the memory of a block."""
    steps = _steps(finer)
    shape = tuple(-(-n // s) for n, s in zip(finer.shape, steps, strict=True))
    voxel_um = None
    if finer.voxel_um is not None:
        voxel_um = tuple(v * s for v, s in zip(finer.voxel_um, steps[-finer.n_spatial :], strict=True))
    chunks = tuple(min(c, n) for c, n in zip(finer.chunks, shape, strict=True))
    coarser = replace(finer, shape=shape, chunks=chunks, voxel_um=voxel_um, level=finer.level + 1)
    level = coarser.folder / str(coarser.level)
    if level.exists():  # of a run that was interrupted here
        shutil.rmtree(level)
    _make_array(coarser)
    boxes = cut(shape, suitable_block(shape, [chunks], n_voxels=2**21))
    work.reduce(_write_halved, boxes, add, shared=(finer, coarser, steps))
    return coarser


def _write_halved(levels: tuple[Draft, Draft, tuple[int, ...]], box: Box) -> int:
    """Write a box of the coarser of two levels; gives 1."""
    finer, coarser, steps = levels
    source = ZarrArray.of(read_node(finer.folder / str(finer.level)))
    seen = Box(
        tuple(a * s for a, s in zip(box.start, steps, strict=True)),
        tuple(min(b * s, n) for b, s, n in zip(box.stop, steps, finer.shape, strict=True)),
    )
    write_block(coarser, box, _smaller(source[seen.slices], steps, draft_is_labels=finer.is_labels))
    return 1


def _steps(draft: Draft) -> tuple[int, ...]:
    spatial = draft.shape[-draft.n_spatial :]
    sizes = draft.voxel_um or (1.0,) * draft.n_spatial
    steps = [2 if n > 1 and v < 2 * min(sizes) else 1 for n, v in zip(spatial, sizes, strict=True)]
    if not any(s == 2 and n > _SMALLEST_LEVEL_PX for s, n in zip(steps, spatial, strict=True)):
        steps = [2 if n > _SMALLEST_LEVEL_PX else s for s, n in zip(steps, spatial, strict=True)]
    return (1,) * (len(draft.shape) - draft.n_spatial) + tuple(steps)


def _smaller(pixels: np.ndarray, steps: tuple[int, ...], *, draft_is_labels: bool) -> np.ndarray:
    if draft_is_labels:
        return np.ascontiguousarray(pixels[tuple(slice(None, None, s) for s in steps)])
    from ..core.halved import mean_of_steps

    return mean_of_steps(pixels, steps)


def _metadata(drafts: list[Draft]) -> dict[str, Any]:
    first = drafts[0]
    is_known = first.voxel_um is not None
    axes = [{**_AXES[a], **({"unit": "micrometer"} if is_known and a != "C" else {})} for a in first.axes]
    image = {
        "name": first.path.name.removesuffix(".zarr").removesuffix(".ome"),
        "axes": axes,
        "datasets": [_dataset(draft, drafts[0]) for draft in drafts],
        "type": "nearest" if first.is_labels else "mean",
    }
    source = {"source": {"image": "../../"}} if first.path.parent.name == "labels" else {}
    labels = {"image-label": source} if first.is_labels else {}
    return {"version": "0.5", "multiscales": [image], **labels}


def _dataset(draft: Draft, first: Draft) -> dict[str, Any]:
    n = first.n_spatial
    factors = [2 ** _n_halvings(a, b) for a, b in zip(first.shape[-n:], draft.shape[-n:], strict=True)]
    sizes = first.voxel_um or (1.0,) * n
    other = [1.0] * (len(first.shape) - n)
    steps: list[dict[str, Any]] = [
        {"type": "scale", "scale": other + [float(v) * f for v, f in zip(sizes, factors, strict=True)]}
    ]
    if draft.level and not first.is_labels:
        # The centre of a mean lies between the centres of its voxels; a voxel that was taken stays where it is.
        shift = [float(v) * (f - 1) / 2 for v, f in zip(sizes, factors, strict=True)]
        steps.append({"type": "translation", "translation": [0.0] * len(other) + shift})
    return {"path": str(draft.level), "coordinateTransformations": steps}


def _n_halvings(length: int, shorter: int) -> int:
    n = 0
    while length > shorter:
        length, n = -(-length // 2), n + 1
    return n


def _group(metadata: dict[str, Any]) -> dict[str, Any]:
    return {"zarr_format": 3, "node_type": "group", "attributes": {"ome": metadata}}


def _list_label(folder: Path, name: str) -> None:
    """Add a name to the list of a `labels` group, which is made where there is none."""
    known: list[str] = []
    if is_zarr(folder):
        listed = read_node(folder).attributes.get("ome", {}).get("labels", [])
        known = [entry for entry in listed if isinstance(entry, str)]
    names = sorted({*known, name})
    _write_json(folder / "zarr.json", _group({"version": "0.5", "labels": names}))


def _write_json(path: Path, data: dict[str, Any]) -> None:
    write_bytes(path, (json.dumps(data, indent=2) + "\n").encode())
