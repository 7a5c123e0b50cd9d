"""The dataset folder: written sample by sample so that an interruption loses nothing, and read back.

OUT/dataset.json       the manifest, written last: a folder with it is complete
OUT/recipe.yaml        the resolved recipe
OUT/objects.parquet    one row per simulated object; objects_PART.parquet for those of further labels
OUT/images/NAME.tif    the sensor's integers; or NAME.ome.zarr, which then holds the labels, too
OUT/labels/NAME.tif    instance labels
OUT/labels_PART/       further labels, such as the nuclei of cells
OUT/.progress/         one record per finished sample, while the dataset is being made
"""

import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from .. import __version__
from ..core.errors import InputError, OutputExistsError, RecipeError
from ..io.atomic import make_folder, remove_leftovers, sync_files, write_bytes
from ..io.tables import plain, read_json, read_parquet, to_json, write_parquet
from ..io.yaml import write_yaml
from ._sample_files import (
    PROGRESS,
    is_finished,
    is_intact,
    read_progress,
    record_file,
    write_progress,
    write_sample,
)
from .image_set import Entry, ImageSet, raise_together
from .manifest import (
    MANIFEST_NAME,
    FileRecord,
    Manifest,
    SampleRecord,
    check_sample_name,
    files_of,
    read_manifest,
)

__all__ = [
    "DatasetWriter",
    "has_objects",
    "is_dataset",
    "open_dataset",
    "read_objects",
    "verify",
    "write_sample",
]

_log = logging.getLogger(__name__)

_RUN = "run.json"
_OBJECTS = "objects.parquet"
_RECIPE = "recipe.yaml"
_CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # left by file browsers


def is_dataset(folder: Path) -> bool:
    """Tell whether a folder holds a dataset, complete or interrupted."""
    return (folder / MANIFEST_NAME).exists() or (folder / PROGRESS / _RUN).exists()


def open_dataset(folder: Path) -> ImageSet:
    """Open a dataset folder; only its manifest is read now.

    Raises
    ------
    InputError
        If the folder is no complete dataset.
    """
    folder = Path(folder)
    if not (folder / MANIFEST_NAME).exists():
        raise InputError(
            f"{folder}: is a dataset whose making was interrupted; finish it with --resume"
            if is_dataset(folder)
            else f"{folder}: is not a dataset folder, it has no {MANIFEST_NAME}"
        )
    manifest = read_manifest(folder)
    return ImageSet(folder, tuple(_entry(folder, sample) for sample in manifest.samples))


def verify(folder: Path) -> Manifest:
    """Check size and checksum of every file of a dataset.

    Raises
    ------
    InputError
        Names the files that are missing or changed, all at once.
    """
    manifest = read_manifest(folder)
    problems = []
    for record in files_of(manifest):
        path = folder / record.path
        if not path.exists():
            problems.append(f"{path}: is missing")
        elif not is_intact(folder, record):
            problems.append(f"{path}: is not the file that was written; make the dataset again or restore it")
    raise_together(folder, problems)
    return manifest


def has_objects(folder: Path) -> bool:
    """Tell whether a dataset has a table of simulated objects."""
    return read_manifest(folder).objects is not None


def read_objects(folder: Path, part: str | None = None) -> pd.DataFrame:
    """Read the table of the simulated objects: `sample`, `label` and their parameters; empty where there is none.

    Parameters
    ----------
    part
        Name of further labels, such as `spots`; by default those of the sample itself.
    """
    manifest = read_manifest(folder)
    record = manifest.objects if part is None else manifest.part_objects.get(part)
    return read_parquet(folder / record.path) if record else pd.DataFrame()


class DatasetWriter:
    """A dataset in the making.

    >>> writer = DatasetWriter.open(folder, recipe, is_resume=False)      # doctest: +SKIP
    >>> for name in writer.pending(names):                                # doctest: +SKIP
    ...     write_sample(writer.folder, make(name))
    >>> images = writer.finish(names)                                     # doctest: +SKIP
    """

    def __init__(self, folder: Path, recipe: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
        self.folder = folder
        self._recipe: dict[str, Any] = plain(recipe)
        self._inputs = dict(inputs)

    @classmethod
    def open(
        cls,
        folder: Path,
        recipe: Mapping[str, Any],
        *,
        is_resume: bool = False,
        inputs: Mapping[str, str] | None = None,
    ) -> Self:
        """Begin a dataset, or continue one that was interrupted.

        Parameters
        ----------
        folder
            New or empty, unless `is_resume`.
        recipe
            Resolved recipe as plain values; a resumed run must have the same.
        inputs
            Files that the recipe was made from: name to SHA-256.

        Raises
        ------
        OutputExistsError
            If the folder holds anything, and it is not an interrupted run to resume; nothing is touched.
        RecipeError
            If the run to resume had another recipe; names the keys that differ.
        StorageError
            If the folder cannot be written.
        """
        folder = Path(folder)
        writer = cls(folder, recipe, inputs or {})
        begun = _begun_run(folder)
        if begun is None:
            _check_empty(folder)
        elif not is_resume:
            raise OutputExistsError(
                f"{folder}: holds a dataset already; choose another folder, or pass --resume to continue an "
                "interrupted run of the same recipe"
            )
        else:
            writer._check_same(begun)
        make_folder(folder / PROGRESS)
        write_bytes(folder / PROGRESS / _RUN, to_json(writer._run, is_sorted=True))  # from here on it is ours
        for part in ("images", "labels"):
            make_folder(folder / part)
        for part in ("images", "labels", PROGRESS, "."):
            remove_leftovers(folder / part)
        write_yaml(folder / _RECIPE, writer._recipe)
        if begun is not None:
            writer._restore_records()
        return writer

    @property
    def _run(self) -> dict[str, Any]:
        return {"cellsynth_version": __version__, "recipe": self._recipe, "inputs": self._inputs}

    def pending(self, names: Sequence[str]) -> list[str]:
        """Names of the samples that are not finished, in order."""
        for name in names:
            check_sample_name(name)
        if len({name.casefold() for name in names}) != len(names):
            raise ValueError("sample names must be unique, capitals aside")
        todo = [name for name in names if not is_finished(self.folder, name)]
        if len(todo) < len(names):
            _log.info(
                "%s: %d of %d samples are there already", self.folder, len(names) - len(todo), len(names)
            )
        return todo

    def finish(self, names: Sequence[str]) -> ImageSet:
        """Write the table of objects and the manifest, and open the dataset.

        Raises
        ------
        InputError
            If a sample has not been written.
        StorageError
            If a file cannot be written.
        """
        progress = {name: read_progress(self.folder, name) for name in names}
        missing = [name for name, item in progress.items() if item is None]
        if missing:
            raise InputError(
                f"{self.folder}: {len(missing)} samples are not written yet, such as {missing[0]}"
            )
        finished = [item for item in progress.values() if item is not None]
        parts = sorted({part for item in finished for part in item.part_objects})
        objects = self._write_objects(_OBJECTS, {i.record.name: i.objects for i in finished})
        part_objects = {
            part: self._write_objects(
                f"objects_{part}.parquet", {i.record.name: i.part_objects.get(part, {}) for i in finished}
            )
            for part in parts
        }
        seed = self._recipe.get("seed")
        manifest = Manifest(
            cellsynth_version=__version__,
            recipe=self._recipe,
            inputs=self._inputs,
            seed=seed if isinstance(seed, int) else None,
            n_samples=len(finished),
            samples=tuple(item.record for item in finished),
            objects=objects,
            part_objects={part: record for part, record in part_objects.items() if record},
        )
        paths = (self.folder / record.path for record in files_of(manifest))
        sync_files(path for path in paths if path.is_file())  # volumes were when they were finished
        write_bytes(self.folder / MANIFEST_NAME, to_json(manifest.to_dict(), is_sorted=True))
        shutil.rmtree(self.folder / PROGRESS)
        return open_dataset(self.folder)

    def _write_objects(self, path: str, columns: Mapping[str, Mapping[str, Any]]) -> FileRecord | None:
        """Write one table of the columns of all samples."""
        named = {name: pd.DataFrame(dict(each)) for name, each in columns.items()}
        tables = [_named(table, name) for name, table in named.items() if len(table)]
        if not tables:
            return None
        write_parquet(self.folder / path, pd.concat(tables, ignore_index=True))
        return record_file(self.folder, path)

    def _check_same(self, begun: Mapping[str, Any]) -> None:
        if begun.get("cellsynth_version") != __version__:
            raise RecipeError(
                f"{self.folder}: was begun by cellsynth {begun.get('cellsynth_version')} and this is {__version__}; "
                "finish it with that version, or choose another folder"
            )
        keys = [f"recipe.{key}" for key in _differing(begun.get("recipe", {}), self._recipe)]
        keys += [f"input {key}" for key in _differing(begun.get("inputs", {}), self._inputs)]
        if keys:
            more = f" and {len(keys) - 8} more" if len(keys) > 8 else ""
            raise RecipeError(
                f"{self.folder}: --resume continues a run of the same recipe, and this one differs in "
                f"{', '.join(keys[:8])}{more}; take the recipe of {self.folder / _RECIPE}, or choose another folder"
            )

    def _restore_records(self) -> None:
        """Take the records of a finished dataset out of its manifest, so that its samples count as written."""
        if not (self.folder / MANIFEST_NAME).exists():
            return
        manifest = read_manifest(self.folder)
        columns = _by_sample(read_objects(self.folder))
        parts = {part: _by_sample(read_objects(self.folder, part)) for part in manifest.part_objects}
        for record in manifest.samples:
            own = {part: rows[record.name] for part, rows in parts.items() if record.name in rows}
            write_progress(self.folder, record, columns.get(record.name, {}), own)


def _by_sample(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """Columns of the objects of each sample."""
    if not len(table):
        return {}
    return {
        str(name): {str(k): v for k, v in rows.drop(columns="sample").to_dict(orient="list").items()}
        for name, rows in table.groupby("sample", sort=False)
    }


def _named(table: pd.DataFrame, sample: str) -> pd.DataFrame:
    """Put the name of the sample in front."""
    table.insert(0, "sample", sample)
    return table


def _begun_run(folder: Path) -> dict[str, Any] | None:
    """What a dataset in `folder`, interrupted or complete, was made from; None where there is none."""
    if (folder / PROGRESS / _RUN).exists():
        return read_json(folder / PROGRESS / _RUN)
    if (folder / MANIFEST_NAME).exists():
        return read_manifest(folder).to_dict()
    return None


def _check_empty(folder: Path) -> None:
    if folder.is_file():
        raise OutputExistsError(f"{folder}: is a file, and a folder is to be made; choose another name")
    if not folder.is_dir():
        return
    held = sorted(item.name for item in folder.iterdir() if not _is_clutter(item))
    if held:
        raise OutputExistsError(
            f"{folder}: holds other data already ({', '.join(held[:4])}{' ...' if len(held) > 4 else ''}), and nothing "
            "is overwritten; choose a new or empty folder"
        )


def _is_clutter(item: Path) -> bool:
    """What a file browser left, or a run that was killed before its first file."""
    if item.name == PROGRESS and item.is_dir():
        remove_leftovers(item)
        return not any(item.iterdir())
    return item.name in _CLUTTER


def _differing(a: Any, b: Any, path: str = "") -> list[str]:
    """Dotted paths of the values that are not the same."""
    if isinstance(a, dict) and isinstance(b, dict):
        keys = sorted(a.keys() | b.keys())
        missing = object()
        return [
            d for key in keys for d in _differing(a.get(key, missing), b.get(key, missing), f"{path}.{key}")
        ]
    return [] if a == b else [path.lstrip(".")]


def _entry(folder: Path, record: SampleRecord) -> Entry:
    known = {"split": record.split, "condition": record.condition}
    return Entry(
        name=record.name,
        image=folder / record.image.path,
        labels=folder / record.labels.path if record.labels else None,
        parts={name: folder / part.path for name, part in record.parts.items()},
        grid=record.grid,
        bit_depth=record.bit_depth,
        is_ours=True,
        provenance={**record.provenance, **{k: v for k, v in known.items() if v is not None}},
    )
