"""The dataset folder: written sample by sample so that an interruption loses nothing, and read back.

OUT/dataset.json       the manifest, written last: a folder with it is complete
OUT/recipe.yaml        the resolved recipe
OUT/objects.parquet    one row per simulated object
OUT/images/NAME.tif    the sensor's integers
OUT/labels/NAME.tif    instance labels
OUT/.progress/         one record per finished sample, while the dataset is being made
"""

import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import pandas as pd

from .. import __version__
from ..core.errors import InputError, OutputExistsError, RecipeError
from ..core.sample import Sample
from ..io.atomic import make_folder, remove_leftovers, write_bytes
from ..io.labels import write_labels
from ..io.tables import read_json, read_parquet, to_json, write_parquet
from ..io.tiff import write_tiff
from ..io.yaml import write_yaml
from .image_set import Entry, ImageSet, raise_together, sha256_of
from .manifest import (
    MANIFEST_NAME,
    FileRecord,
    Manifest,
    SampleRecord,
    check_sample_name,
    files_of,
    read_manifest,
)

_log = logging.getLogger(__name__)

_PROGRESS = ".progress"
_RUN = "run.json"
_OBJECTS = "objects.parquet"
_RECIPE = "recipe.yaml"
_OWN = frozenset({MANIFEST_NAME, _RECIPE, _OBJECTS, "images", "labels", _PROGRESS})
_CLUTTER = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})  # left by file browsers


def open_dataset(folder: Path) -> ImageSet:
    """Open a dataset folder; only its manifest is read now.

    Raises
    ------
    InputError
        If the folder is no complete dataset.
    """
    folder = Path(folder)
    if not (folder / MANIFEST_NAME).exists():
        unfinished = (folder / _PROGRESS / _RUN).exists()
        raise InputError(
            f"{folder}: is a dataset whose making was interrupted; finish it with --resume"
            if unfinished
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
        if not path.is_file():
            problems.append(f"{path}: is missing")
        elif path.stat().st_size != record.n_bytes or sha256_of(path) != record.sha256:
            problems.append(f"{path}: is not the file that was written; make the dataset again or restore it")
    raise_together(folder, problems)
    return manifest


def read_objects(folder: Path) -> pd.DataFrame:
    """Read the table of the simulated objects: `sample`, `label` and their parameters; empty where there is none."""
    manifest = read_manifest(folder)
    return read_parquet(folder / manifest.objects.path) if manifest.objects else pd.DataFrame()


def write_sample(folder: Path, sample: Sample) -> SampleRecord:
    """Write one sample of a dataset that `DatasetWriter.open` has begun; workers may call it in any order.

    Labels are written first, then the image, then the record that makes it count, each whole or not at all.
    The provenance of the sample gives `split` and `condition`.

    Raises
    ------
    StorageError
        If a file cannot be written; the samples before it are valid.
    """
    check_sample_name(sample.name)
    scale = sample.grid.voxel_um if sample.grid.is_scale_known else None
    labels = None
    if sample.labels is not None:
        path = f"labels/{sample.name}.tif"
        write_labels(folder / path, sample.labels, voxel_um=scale, name=sample.name)
        labels = _file_record(folder, path)
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
    )
    provenance = dict(sample.provenance)
    record = SampleRecord(
        name=sample.name,
        image=_file_record(folder, path),
        labels=labels,
        grid=sample.grid,
        bit_depth=sample.bit_depth,
        n_objects=None if sample.labels is None else int(sample.labels.max(initial=0)),
        split=provenance.pop("split", None),
        condition=provenance.pop("condition", None),
        provenance=provenance,
    )
    columns = {} if sample.objects is None else sample.objects.to_columns()
    write_bytes(
        folder / _PROGRESS / f"{sample.name}.json", to_json({"record": record.to_dict(), "objects": columns})
    )
    return record


class DatasetWriter:
    """A dataset in the making.

    >>> writer = DatasetWriter.open(folder, recipe, is_resume=False)      # doctest: +SKIP
    >>> for name in writer.pending(names):                                # doctest: +SKIP
    ...     write_sample(writer.folder, make(name))
    >>> images = writer.finish(names)                                     # doctest: +SKIP
    """

    def __init__(self, folder: Path, recipe: Mapping[str, Any], inputs: Mapping[str, str]) -> None:
        self.folder = folder
        self._recipe = dict(recipe)
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
        for part in ("images", "labels", _PROGRESS):
            make_folder(folder / part)
            remove_leftovers(folder / part)
        remove_leftovers(folder)
        write_yaml(folder / _RECIPE, writer._plain_recipe)
        write_bytes(folder / _PROGRESS / _RUN, to_json(writer._run, is_sorted=True))
        if begun is not None:
            writer._restore_records()
        return writer

    @property
    def _plain_recipe(self) -> dict[str, Any]:
        """The recipe as it will be read back from a file."""
        return json.loads(to_json(self._recipe))

    @property
    def _run(self) -> dict[str, Any]:
        return {"cellsynth_version": __version__, "recipe": self._plain_recipe, "inputs": self._inputs}

    def pending(self, names: Sequence[str]) -> list[str]:
        """Names of the samples that are not finished, in order."""
        for name in names:
            check_sample_name(name)
        if len({name.casefold() for name in names}) != len(names):
            raise ValueError("sample names must be unique, capitals aside")
        todo = [name for name in names if not self._is_complete(name)]
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
        progress = [self._progress(name) for name in names]
        missing = [name for name, item in zip(names, progress, strict=True) if item is None]
        if missing:
            raise InputError(
                f"{self.folder}: {len(missing)} samples are not written yet, such as {missing[0]}"
            )
        records = [SampleRecord.parse(item["record"], source=self.folder.name) for item in progress if item]
        tables = [_object_rows(item) for item in progress if item]
        objects = self._write_objects([table for table in tables if len(table)])
        seed = self._plain_recipe.get("seed")
        manifest = Manifest(
            cellsynth_version=__version__,
            recipe=self._plain_recipe,
            inputs=self._inputs,
            seed=seed if isinstance(seed, int) else None,
            n_samples=len(records),
            samples=tuple(records),
            objects=objects,
        )
        write_bytes(self.folder / MANIFEST_NAME, to_json(manifest.to_dict(), is_sorted=True))
        shutil.rmtree(self.folder / _PROGRESS)
        return open_dataset(self.folder)

    def _write_objects(self, tables: Sequence[pd.DataFrame]) -> FileRecord | None:
        if not tables:
            return None
        write_parquet(self.folder / _OBJECTS, pd.concat(tables, ignore_index=True))
        return _file_record(self.folder, _OBJECTS)

    def _progress(self, name: str) -> dict[str, Any] | None:
        path = self.folder / _PROGRESS / f"{name}.json"
        return read_json(path) if path.exists() else None

    def _is_complete(self, name: str) -> bool:
        item = self._progress(name)
        if item is None:
            return False
        record = SampleRecord.parse(item["record"], source=str(self.folder / _PROGRESS / name))
        files = [record.image, record.labels] if record.labels else [record.image]
        return all(_is_intact(self.folder, file) for file in files)

    def _check_same(self, begun: Mapping[str, Any]) -> None:
        if begun.get("cellsynth_version") != __version__:
            raise RecipeError(
                f"{self.folder}: was begun by cellsynth {begun.get('cellsynth_version')} and this is {__version__}; "
                "finish it with that version, or choose another folder"
            )
        keys = [f"recipe.{key}" for key in _differing(begun.get("recipe", {}), self._plain_recipe)]
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
        table = read_objects(self.folder) if manifest.objects else pd.DataFrame({"sample": []})
        groups = dict(list(table.groupby("sample", sort=False)))
        for record in manifest.samples:
            rows = groups.get(record.name)
            columns = {} if rows is None else rows.drop(columns="sample").to_dict(orient="list")
            write_bytes(
                self.folder / _PROGRESS / f"{record.name}.json",
                to_json({"record": record.to_dict(), "objects": columns}),
            )


def _begun_run(folder: Path) -> dict[str, Any] | None:
    """What a dataset in `folder`, interrupted or complete, was made from; None where there is none."""
    if (folder / _PROGRESS / _RUN).exists():
        return read_json(folder / _PROGRESS / _RUN)
    if (folder / MANIFEST_NAME).exists():
        return read_manifest(folder).to_dict()
    return None


def _check_empty(folder: Path) -> None:
    if folder.is_file():
        raise OutputExistsError(f"{folder}: is a file, and a folder is to be made; choose another name")
    if not folder.is_dir():
        return
    held = sorted(item.name for item in folder.iterdir() if item.name not in _CLUTTER)
    if held:
        raise OutputExistsError(
            f"{folder}: holds other data already ({', '.join(held[:4])}{' ...' if len(held) > 4 else ''}), and nothing "
            "is overwritten; choose a new or empty folder"
        )


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
        grid=record.grid,
        bit_depth=record.bit_depth,
        is_ours=True,
        provenance={**record.provenance, **{k: v for k, v in known.items() if v is not None}},
    )


def _file_record(folder: Path, path: str) -> FileRecord:
    return FileRecord(path=path, n_bytes=(folder / path).stat().st_size, sha256=sha256_of(folder / path))


def _is_intact(folder: Path, record: FileRecord) -> bool:
    path = folder / record.path
    return path.is_file() and path.stat().st_size == record.n_bytes and sha256_of(path) == record.sha256


def _object_rows(item: Mapping[str, Any]) -> pd.DataFrame:
    table = pd.DataFrame(item["objects"])
    table.insert(0, "sample", item["record"]["name"])
    return table
