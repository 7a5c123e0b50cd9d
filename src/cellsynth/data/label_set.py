"""LabelSet: label files without their images, as predictions come."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from ..core.errors import InputError
from ..core.types import Labels
from ..io.ctc import Side, find_frames, plane_of
from ..io.formats import read_header
from ..io.memory import check_memory
from ._folder_files import find_image_files, stem_of, without_label_suffix
from .dataset import is_dataset, open_dataset
from .image_set import raise_together
from .label_file import LabelNotes, check_label_header, read_label_file, refuse_grey_image
from .label_volume import LabelVolume


@dataclass(frozen=True)
class LabelSet:
    """Labels on disk by the name of their image, read when asked for."""

    source: Path

    files: Mapping[str, Path]
    """Name of the sample to its file, in natural order."""

    voxel_um: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Size of a voxel per axis, of those samples for which it is known."""

    is_ctc: bool = False
    """Frames of the Cell Tracking Challenge, whose ids have gaps."""

    def __len__(self) -> int:
        return len(self.files)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples, in order; unique."""
        return tuple(self.files)

    @property
    def is_partial(self) -> bool:
        """References of the challenge, which may hold a part of the frames and a part of their cells."""
        return self.is_ctc and all(path.name.startswith("man_") for path in self.files.values())

    def renamed(self, name: str) -> "LabelSet":
        """The set of one file or volume, under another name."""
        ((old, path),) = self.files.items()
        scales = {name: self.voxel_um[old]} if old in self.voxel_um else {}
        return replace(self, files={name: path}, voxel_um=scales)

    @property
    def is_one_file(self) -> bool:
        """One file or volume, which was named itself."""
        return len(self) == 1 and self.source in self.files.values()

    def as_partner_of(self, reference: "LabelSet") -> "LabelSet":
        """Itself; where both sides are one file, under the name of the reference, for then there is no doubt."""
        return self.renamed(reference.names[0]) if self.is_one_file and reference.is_one_file else self

    def load(
        self,
        name: str,
        *,
        may_be_mask: bool = True,
        may_be_grey: bool = True,
        keeps_ids: bool = False,
        notes: LabelNotes | None = None,
    ) -> Labels:
        """Read labels: int32, 1..N without gaps. A mask is accepted, since a poor segmenter may give one.

        Of `t000_z012`, where only the volume `t000` is there, the plane.

        Parameters
        ----------
        may_be_mask
            Accept few values on many separate regions.
        may_be_grey
            With `may_be_mask`: do not look whether it is a grey image.
        keeps_ids
            Leave the ids as the file has them.
        notes
            Takes down what is odd and accepted; see `read_label_file`.

        Raises
        ------
        InputError
            If the file is damaged, holds values that are no labels, or has no such plane.
        """

        def read(frame: str) -> Labels:
            path = self.files[frame]
            labels = read_label_file(
                path, may_be_mask=may_be_mask, may_have_gaps=self.is_ctc, keeps_ids=keeps_ids, notes=notes
            )
            if may_be_mask and not may_be_grey:
                refuse_grey_image(path, labels)
            return labels

        if name in self.files:
            return read(name)
        frame, plane = plane_of(name) or (name, 0)
        volume = read(frame)
        if volume.ndim != 3 or plane >= len(volume):
            raise InputError(
                f"{self.files[frame]}: has no plane {plane}, its shape is {volume.shape}; the reference of this plane "
                "belongs to other images"
            )
        return volume[plane] if keeps_ids else _numbered_anew(volume[plane])

    def open(
        self,
        name: str,
        *,
        may_be_mask: bool = True,
        may_be_grey: bool = True,
        notes: LabelNotes | None = None,
    ) -> Labels | LabelVolume:
        """Read labels as `load` does, with the ids as they are stored; of an OME-Zarr volume read nothing yet.

        Such a volume may be larger than memory. What `load` would say of masks its `check_ids` says, when the ids are
        known.
        """
        path = self.files.get(name)
        if path is None or not path.is_dir():
            return self.load(
                name, may_be_mask=may_be_mask, may_be_grey=may_be_grey, keeps_ids=True, notes=notes
            )
        volume = LabelVolume.open(path)
        if not (may_be_mask and may_be_grey):
            volume.refuse_grey_image()
        return volume

    def file_of(self, name: str) -> Path | None:
        """File of a sample, or of the volume that its plane is in; None where there is neither."""
        plane = plane_of(name) if self.is_ctc else None
        return self.files.get(name) or (self.files.get(plane[0]) if plane else None)


def read_labels(path: Path, *, side: Side = "result") -> LabelSet:
    """Find the labels of a dataset, a folder of the Cell Tracking Challenge, a plain folder, or one file.

    Only headers are read now. Names are those of the files, without extension and without `_labels`, `_mask` or
    the like; frames of the challenge are `t000`.

    Parameters
    ----------
    side
        What to take from a folder of the challenge that holds results and references.

    Raises
    ------
    InputError
        If there are none, if two have the same name, or if a file cannot be labels.
    """
    path = Path(path)
    if is_dataset(path):
        images = open_dataset(path)
        entries = {entry.name: entry for entry in images.entries if entry.labels is not None}
        known = {name: entry.labels for name, entry in entries.items() if entry.labels is not None}
        if not known:
            raise InputError(f"{path}: is a dataset without labels; give one that has them")
        scales = {name: e.grid.voxel_um for name, e in entries.items() if e.grid.is_scale_known}
        return LabelSet(path, known, scales)
    frames = find_frames(path, side)
    files: dict[str, Path] = dict(frames or {})
    scales: dict[str, tuple[float, ...]] = {}
    problems: list[str] = []
    if frames is None:
        for file in find_image_files(path, what="labels", may_be_zarr=True):
            name = without_label_suffix(stem_of(file))
            if name in files:
                problems.append(
                    f"{path}: {files[name].name} and {file.name} both have the name {name!r}; keep one"
                )
            files[name] = file
    for name, file in files.items():
        try:
            header = read_header(file)
            if header.format != "zarr":  # those are read in parts
                check_memory(file, header.shape, header.dtype)
            check_label_header(header)
            if header.voxel_um is not None:
                scales[name] = header.voxel_um[-len(header.shape) :]
        except InputError as error:
            problems.append(str(error))
    raise_together(path, problems)
    return LabelSet(path, files, scales, is_ctc=frames is not None)


def pair_labels(prediction: LabelSet, reference: LabelSet) -> tuple[str, ...]:
    """Names that both sets have, in the order of the reference.

    A reference of the Cell Tracking Challenge may hold a part of the frames, or single planes of them.

    Raises
    ------
    InputError
        If a prediction has no reference or the other way round; lists both.
    """
    is_partial = reference.is_partial and prediction.is_ctc
    only_prediction = [] if is_partial else [n for n in prediction.names if n not in reference.files]
    only_reference = [name for name in reference.names if prediction.file_of(name) is None]
    if only_prediction or only_reference:
        raise InputError(
            f"{prediction.source} and {reference.source} do not hold the same names: "
            f"only in the prediction {_listed(only_prediction)}; only in the reference {_listed(only_reference)}. "
            "Names must be equal but for the extension and `_labels`, `_mask` or the like"
        )
    return reference.names


def _numbered_anew(labels: Labels) -> Labels:
    ids, numbers = np.unique(labels, return_inverse=True)
    return (numbers + (ids[0] > 0)).astype(np.int32).reshape(labels.shape)


def _listed(names: list[str], n: int = 4) -> str:
    more = f" and {len(names) - n} more" if len(names) > n else ""
    return (", ".join(names[:n]) or "none") + more
