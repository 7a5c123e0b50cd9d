"""LabelSet: label files without their images, as predictions come."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import InputError
from ..core.types import Labels
from ..io.formats import read_header
from ..io.memory import check_memory
from ._folder_files import find_image_files, stem_of, without_label_suffix
from .dataset import is_dataset, open_dataset
from .image_set import raise_together
from .label_file import check_label_header, read_label_file


@dataclass(frozen=True)
class LabelSet:
    """Labels on disk by the name of their image, read when asked for."""

    source: Path

    files: Mapping[str, Path]
    """Name of the sample to its file, in natural order."""

    def __len__(self) -> int:
        return len(self.files)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the samples, in order; unique."""
        return tuple(self.files)

    def load(self, name: str, *, may_be_mask: bool = True) -> Labels:
        """Read labels: int32, 1..N without gaps. A mask is accepted, since a poor segmenter may give one.

        Raises
        ------
        InputError
            If the file is damaged, or holds values that are no labels.
        """
        return read_label_file(self.files[name], may_be_mask=may_be_mask)


def read_labels(path: Path) -> LabelSet:
    """Find the labels of a dataset, of a plain folder, or one file; only headers are read now.

    Names are those of the files, without extension and without `_labels`, `_mask` or the like.

    Raises
    ------
    InputError
        If there are none, if two have the same name, or if a file cannot be labels.
    """
    path = Path(path)
    if is_dataset(path):
        images = open_dataset(path)
        known = {entry.name: entry.labels for entry in images.entries if entry.labels is not None}
        if not known:
            raise InputError(f"{path}: is a dataset without labels; give one that has them")
        return LabelSet(path, known)
    files: dict[str, Path] = {}
    problems: list[str] = []
    for file in find_image_files(path, what="labels"):
        name = without_label_suffix(stem_of(file))
        if name in files:
            problems.append(
                f"{path}: {files[name].name} and {file.name} both have the name {name!r}; keep one"
            )
        try:
            header = read_header(file)
            check_memory(file, header.shape, header.dtype)
            check_label_header(header)
        except InputError as error:
            problems.append(str(error))
        files[name] = file
    raise_together(path, problems)
    return LabelSet(path, files)


def pair_labels(prediction: LabelSet, reference: LabelSet) -> tuple[str, ...]:
    """Names that both sets have, in the order of the reference.

    Raises
    ------
    InputError
        If a prediction has no reference or the other way round; lists both.
    """
    only_prediction = [name for name in prediction.names if name not in reference.files]
    only_reference = [name for name in reference.names if name not in prediction.files]
    if only_prediction or only_reference:
        raise InputError(
            f"{prediction.source} and {reference.source} do not hold the same names: "
            f"only in the prediction {_listed(only_prediction)}; only in the reference {_listed(only_reference)}. "
            "Names must be equal but for the extension and `_labels`, `_mask` or the like"
        )
    return reference.names


def _listed(names: list[str], n: int = 4) -> str:
    more = f" and {len(names) - n} more" if len(names) > n else ""
    return (", ".join(names[:n]) or "none") + more
