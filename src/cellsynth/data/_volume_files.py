"""A sample that is written as OME-Zarr block by block, and can be continued after an interruption.

OUT/.progress/NAME.ome.zarr   the volume in the making: image, `labels/` and, where asked for, stages of the image
OUT/.progress/NAME.blocks/    per finished block: what its labels show, and checksums of its values
OUT/images/NAME.ome.zarr      the whole volume
"""

import io
import logging
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import lcm, prod
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from ..core.blocks import BlockWork, add_evenly
from ..core.errors import InputError, RecipeError
from ..core.grid import Box, Grid
from ..core.sample import Sample
from ..core.tally import Tally
from ..io.atomic import make_folder, write_bytes
from ..io.ome_zarr_writer import Draft, complete, create, create_labels, publish, write_block
from ..io.tables import plain, read_json, to_json
from ..io.zarr_array import ZarrArray, read_node
from ._sample_files import PROGRESS, record_file, write_progress
from .manifest import FileRecord, SampleRecord, check_sample_name

_log = logging.getLogger(__name__)

_CHUNK_PX = {2: (1024, 1024), 3: (64, 128, 128)}
_LARGEST_BLOCK = 2**27
"""Voxels of a block at most; they are in memory together."""


@dataclass(frozen=True)
class VolumeDraft:
    """A volume of a dataset in the making; cheap to send to another process."""

    folder: Path
    name: str
    grid: Grid
    block_px: tuple[int, ...]
    """Whole tiles of the image and whole chunks of the file."""

    image: Draft
    labels: tuple[Draft, ...]
    """Those of the sample first, then its parts."""

    stages: tuple[Draft, ...]
    """What the image comes from, in photons."""

    @property
    def block_bytes(self) -> int:
        """Memory of the values of a block, with what is made of them on the way to the disk."""
        n = prod(self.block_px)
        arrays = (self.image, *self.labels, *self.stages)
        return (
            sum(2 * n * prod(d.shape[: -len(self.block_px)]) * np.dtype(d.dtype).itemsize for d in arrays)
            + 8 * n
        )

    @property
    def blocks(self) -> list[Box]:
        """Boxes that fill the grid."""
        return self.grid.boxes(self.block_px)

    @property
    def marks(self) -> Path:
        """Folder of what is known of the finished blocks."""
        return self.folder / PROGRESS / f"{self.name}.blocks"

    @property
    def stage_names(self) -> tuple[str, ...]:
        """Names of the stages."""
        return tuple(_stage_of(self, draft) for draft in self.stages)

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the labels."""
        return tuple(draft.path.name for draft in self.labels)


def begin_volume(
    folder: Path,
    name: str,
    grid: Grid,
    *,
    n_channels: int,
    dtype: str,
    n_objects: Mapping[str, int],
    tile_px: tuple[int, ...],
    chunk_px: tuple[int, ...] | None = None,
    stages: Sequence[str] = (),
) -> VolumeDraft:
    """Begin a volume of a dataset that `DatasetWriter.open` has begun, or go on with one that was interrupted.

    Parameters
    ----------
    n_objects
        Of each label image, by name, that of the sample first.
    tile_px
        Part of the grid that the image is made in.
    chunk_px
        Part of the grid that the file is compressed in; by default 64 x 128 x 128, in 2D 1024 x 1024.
    stages
        Names of further images of floats, one per stage.

    Raises
    ------
    RecipeError
        If tiles and chunks have no common multiple that fits into memory.
    StorageError
        If the folder cannot be written.
    """
    check_sample_name(name)
    chunks = _chunks(grid, chunk_px)
    block_px = _block(grid, tile_px, chunks)
    path, place = folder / "images" / f"{name}.ome.zarr", folder / PROGRESS / f"{name}.ome.zarr"
    marks, plan = folder / PROGRESS / f"{name}.blocks", folder / PROGRESS / f"{name}.plan.json"
    asked = {
        "grid": grid.to_dict(),
        "channels": n_channels,
        "dtype": dtype,
        "objects": dict(n_objects),
        "block_px": block_px,
        "chunks": chunks,
        "stages": list(stages),
    }
    is_same = plan.exists() and marks.exists() and read_json(plan) == plain(asked)
    if is_same and path.exists() and not place.exists():
        # Of a run that was interrupted when the volume was done and not on record yet; its blocks are looked at.
        path.rename(place)
    is_begun = is_same and place.exists()
    if path.exists():  # whole, but nobody could say so any more; or damaged
        _log.info("%s: is made again, as it is not what was written", path)
        shutil.rmtree(path)
    if not is_begun:
        shutil.rmtree(marks, ignore_errors=True)
        plan.unlink(missing_ok=True)
    make_folder(marks)
    options: dict[str, Any] = {"voxel_um": grid.voxel_um if grid.is_scale_known else None}
    spatial = "ZYX"[-grid.ndim :]
    many = n_channels > 1

    def draft(where: Path, at: Path, of: str) -> Draft:
        made = Draft(
            path=where,
            folder=at,
            shape=((n_channels,) if many else ()) + grid.shape_px,
            chunks=((1,) if many else ()) + chunks,
            dtype=of,
            axes=("C" if many else "") + spatial,
            is_labels=False,
            **options,
        )
        if is_begun:
            return made
        return create(where, made.shape, of, axes=made.axes, chunks=made.chunks, folder=at, **options)

    image = draft(path, place, dtype)
    labels = []
    for layer, n in n_objects.items():
        kind = "uint16" if n < 2**16 else "uint32"
        if is_begun:
            inner = replace(image, path=path / "labels" / layer, folder=place / "labels" / layer, dtype=kind)
            labels.append(replace(inner, shape=grid.shape_px, chunks=chunks, axes=spatial, is_labels=True))
        else:
            labels.append(create_labels(image, layer, kind))
    interim = folder / "interim"
    kept = [
        draft(interim / f"{name}_{stage}.ome.zarr", folder / PROGRESS / f"{name}_{stage}.ome.zarr", "float32")
        for stage in stages
    ]
    for stage in kept:
        # Of a run that was interrupted when stages were done and the image was not.
        if not stage.folder.exists() and stage.path.exists():
            stage.path.rename(stage.folder)
    write_bytes(plan, to_json(asked), is_synced=False)
    return VolumeDraft(folder, name, grid, block_px, image, tuple(labels), tuple(kept))


def _chunks(grid: Grid, chunk_px: tuple[int, ...] | None) -> tuple[int, ...]:
    given = chunk_px or _CHUNK_PX[grid.ndim]
    if len(given) != grid.ndim:
        raise RecipeError(
            f"chunk_px has {len(given)} numbers and the grid {grid.ndim} axes; give one per axis"
        )
    return tuple(min(c, n) for c, n in zip(given, grid.shape_px, strict=True))


def _block(grid: Grid, tile_px: tuple[int, ...], chunks: tuple[int, ...]) -> tuple[int, ...]:
    block = tuple(
        min(lcm(min(t, n), c) if t < n else n, n)
        for t, c, n in zip(tile_px, chunks, grid.shape_px, strict=True)
    )
    if prod(block) > _LARGEST_BLOCK and block != tuple(map(min, tile_px, grid.shape_px)):
        raise RecipeError(
            f"chunk_px is {list(chunks)}, and the image is made in tiles of {list(tile_px)}; only blocks of "
            f"{list(block)} hold whole ones of both, and they are too large. Give chunks that divide the tiles, such "
            "as powers of 2"
        )
    return block


def pending_blocks(volume: VolumeDraft) -> list[Box]:
    """Blocks that are not written yet, or not as they were."""
    return [box for box in volume.blocks if not _is_written(volume, box)]


def _is_written(volume: VolumeDraft, box: Box) -> bool:
    mark = _read_mark(volume, box)
    if mark is None:
        return False
    return all(
        int(mark[f"crc_{draft.path.name}"]) == _crc_of_stored(draft, box)
        for draft in (volume.image, *volume.labels, *volume.stages)
    )


def write_volume_block(
    volume: VolumeDraft,
    box: Box,
    image: np.ndarray,
    labels: Mapping[str, np.ndarray],
    tallies: Mapping[str, Tally],
    stages: Mapping[str, np.ndarray] | None = None,
) -> None:
    """Write a block, and then the mark that makes it count; others may write other blocks at the same time.

    Parameters
    ----------
    image : (C, Z, Y, X)
        The sensor's integers.
    labels, tallies
        By the name of the labels.

    Raises
    ------
    StorageError
        If it cannot be written; what was written before is valid.
    """
    arrays = [(volume.image, image)]
    arrays += [(draft, labels[draft.path.name]) for draft in volume.labels]
    arrays += [(draft, (stages or {})[_stage_of(volume, draft)]) for draft in volume.stages]
    mark: dict[str, np.ndarray] = {}
    for draft, values in arrays:
        stored = np.ascontiguousarray(values.reshape(_full(draft, box).shape), draft.dtype)
        write_block(draft, _full(draft, box), stored)
        mark[f"crc_{draft.path.name}"] = np.array(_crc(stored))
    for layer, tally in tallies.items():
        mark |= {f"{layer}/{field}": getattr(tally, field) for field in Tally.__dataclass_fields__}
    write_bytes(_mark(volume, box), _packed(mark), is_synced=False)


def finish_volume(
    volume: VolumeDraft,
    sample: Sample,
    columns_of: Callable[[str, Tally], Mapping[str, Any]],
    work: BlockWork | None = None,
) -> SampleRecord:
    """Add the smaller levels and the metadata, give the volume its name, and record it.

    Parameters
    ----------
    sample
        What is known of it; its arrays are not looked at.
    columns_of
        Columns of the table of the objects, from the name of the labels and what all blocks show of them.

    Raises
    ------
    InputError
        If a block is missing.
    StorageError
        If it cannot be written.
    """
    tables = {layer: columns_of(layer, _total(volume, layer)) for layer in volume.layers}
    complete(volume.image, volume.labels, work)
    for stage in volume.stages:
        complete(stage, (), work)
        if stage.path.exists():
            shutil.rmtree(stage.path)
        make_folder(stage.path.parent)
        publish(stage)
    root = f"images/{volume.name}.ome.zarr"
    image = _recorded(volume, volume.image.folder, root)
    records = {
        draft.path.name: _recorded(volume, draft.folder, f"{root}/labels/{draft.path.name}")
        for draft in volume.labels
    }
    publish(volume.image)
    main, *others = volume.layers
    provenance = plain(sample.provenance)
    record = SampleRecord(
        name=volume.name,
        image=image,
        labels=records[main],
        parts={layer: records[layer] for layer in others},
        grid=volume.grid,
        bit_depth=sample.bit_depth,
        n_objects=len(next(iter(tables[main].values()))),
        split=provenance.pop("split", None),
        condition=provenance.pop("condition", None),
        provenance=provenance,
    )
    write_progress(volume.folder, record, tables[main], {layer: tables[layer] for layer in others})
    shutil.rmtree(volume.marks, ignore_errors=True)
    return record


def _recorded(volume: VolumeDraft, place: Path, path: str) -> FileRecord:
    """Record of a folder as it will be, from where it is."""
    found = record_file(volume.folder, place.relative_to(volume.folder).as_posix())
    return FileRecord(path=path, n_bytes=found.n_bytes, sha256=found.sha256)


def _total(volume: VolumeDraft, layer: str) -> Tally:
    def tallies() -> Any:
        for box in volume.blocks:
            mark = _read_mark(volume, box)
            if mark is None:
                raise InputError(f"{volume.marks}: block {box.start} of {volume.name} is not written yet")
            yield Tally(**{field: mark[f"{layer}/{field}"] for field in Tally.__dataclass_fields__})

    return add_evenly(Tally.__add__, tallies())


def _stage_of(volume: VolumeDraft, draft: Draft) -> str:
    return draft.path.name.removeprefix(f"{volume.name}_").removesuffix(".ome.zarr")


def _full(draft: Draft, box: Box) -> Box:
    """The box with all channels."""
    n = len(draft.shape) - len(box.shape)
    return Box((0,) * n + box.start, draft.shape[:n] + box.stop)


def _mark(volume: VolumeDraft, box: Box) -> Path:
    return volume.marks / ("_".join(map(str, box.start)) + ".npz")


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **dict(arrays))  # pyright: ignore[reportArgumentType]
    return buffer.getvalue()


def _read_mark(volume: VolumeDraft, box: Box) -> dict[str, np.ndarray] | None:
    path = _mark(volume, box)
    if not path.exists():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as found:
            return dict(found)
    except (OSError, ValueError, EOFError, KeyError, zlib.error, BadZipFile):
        return None  # damaged: the block is made again


def _crc_of_stored(draft: Draft, box: Box) -> int | None:
    """Checksum of the values on disk; None where they cannot be read."""
    try:
        stored = ZarrArray.of(read_node(draft.folder / str(draft.level)))[_full(draft, box).slices]
    except InputError:
        return None
    return _crc(stored)


def _crc(values: np.ndarray) -> int:
    return zlib.crc32(np.ascontiguousarray(values).tobytes())
