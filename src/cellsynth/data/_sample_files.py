"""The files of one sample of a dataset in the making, and the record that makes them count."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.grid import Grid
from ..core.sample import Sample
from ..core.types import Image, Labels
from ..io.atomic import make_folder, write_bytes
from ..io.labels import write_labels
from ..io.tables import plain, read_json, to_json
from ..io.tiff import write_tiff
from .image_set import sha256_of, size_of
from .manifest import FileRecord, SampleRecord, check_sample_name

PROGRESS = ".progress"


@dataclass(frozen=True, eq=False)
class Progress:
    """What is known of a finished sample until the manifest is written."""

    record: SampleRecord

    objects: Mapping[str, Any]
    """Columns of a table with one row per simulated object."""

    part_objects: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Those of the further labels, by their name."""


def write_sample(folder: Path, sample: Sample) -> SampleRecord:
    """Write one sample of a dataset that `DatasetWriter.open` has begun; workers may call it in any order.

    Labels are written first, then the image, then the record that makes it count, each whole or not at all. Nobody
    waits for the disk: the record has checksums, so what a power failure took is made again, and
    `DatasetWriter.finish` waits for all together.
    The provenance of the sample gives `split` and `condition`.

    Raises
    ------
    StorageError
        If a file cannot be written; the samples before it are valid.
    """
    check_sample_name(sample.name)
    scale = sample.grid.voxel_um if sample.grid.is_scale_known else None

    def write(labels: Labels, room: str) -> FileRecord:
        path = f"{room}/{sample.name}.tif"
        make_folder(folder / room)
        write_labels(folder / path, labels, voxel_um=scale, name=sample.name, is_synced=False)
        return record_file(folder, path)

    labels = None if sample.labels is None else write(sample.labels, "labels")
    parts = {name: write(part, f"labels_{name}") for name, part in sample.parts.items()}
    path = f"images/{sample.name}.tif"
    counts = sample.counts
    spatial = "ZYX"[-sample.grid.ndim :]
    one = counts.shape[0] == 1
    write_tiff(
        folder / path,
        counts[0] if one else counts,
        axes=spatial if one else f"C{spatial}",
        voxel_um=scale,
        name=sample.name,
        is_synced=False,
    )
    provenance = plain(sample.provenance)
    record = SampleRecord(
        name=sample.name,
        image=record_file(folder, path),
        labels=labels,
        parts=parts,
        grid=sample.grid,
        bit_depth=sample.bit_depth,
        n_objects=None if sample.labels is None else int(sample.labels.max(initial=0)),
        split=provenance.pop("split", None),
        condition=provenance.pop("condition", None),
        provenance=provenance,
    )
    main, *others = sample.tables.items() or [
        ("", {} if sample.objects is None else sample.objects.to_columns())
    ]
    write_progress(folder, record, main[1], dict(others))
    return record


def write_stages(folder: Path, name: str, grid: Grid, stages: Mapping[str, Image]) -> None:
    """Write what the image of a sample comes from, as TIFFs of floats beside the dataset: `interim/NAME_STAGE.tif`.

    Raises
    ------
    StorageError
        If a file cannot be written.
    """
    make_folder(folder / "interim")
    spatial = "ZYX"[-grid.ndim :]
    for stage, image in stages.items():
        one = image.shape[0] == 1
        write_tiff(
            folder / "interim" / f"{name}_{stage}.tif",
            image[0] if one else image,
            axes=spatial if one else f"C{spatial}",
            voxel_um=grid.voxel_um if grid.is_scale_known else None,
            name=f"{name}_{stage}",
            is_synced=False,
        )


def write_progress(
    folder: Path,
    record: SampleRecord,
    columns: Mapping[str, Any],
    part_columns: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Make a sample count as finished; `columns` are those of its objects."""
    data = {"record": record.to_dict(), "objects": columns, "part_objects": part_columns or {}}
    write_bytes(folder / PROGRESS / f"{record.name}.json", to_json(data), is_synced=False)


def read_progress(folder: Path, name: str) -> Progress | None:
    """Read what `write_progress` wrote; None where the sample is not finished."""
    path = folder / PROGRESS / f"{name}.json"
    if not path.exists():
        return None
    data = read_json(path)
    return Progress(
        SampleRecord.parse(data["record"], source=str(path)), data["objects"], data.get("part_objects", {})
    )


def is_finished(folder: Path, name: str) -> bool:
    """Tell whether all files of a sample are there, and as they were written."""
    progress = read_progress(folder, name)
    if progress is None:
        return False
    files = [progress.record.image, progress.record.labels, *progress.record.parts.values()]
    return all(is_intact(folder, file) for file in files if file is not None)


def record_file(folder: Path, path: str) -> FileRecord:
    """Size and checksum of a file of the dataset."""
    return FileRecord(path=path, n_bytes=size_of(folder / path), sha256=sha256_of(folder / path))


def is_intact(folder: Path, record: FileRecord) -> bool:
    """Tell whether a file has the size and checksum of its record."""
    path = folder / record.path
    return path.exists() and size_of(path) == record.n_bytes and sha256_of(path) == record.sha256
