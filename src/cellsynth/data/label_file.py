"""Read the instance labels of one image from a file, and trust nothing in it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..core.errors import InputError
from ..core.types import Labels
from ..io.formats import read_pixels
from ..io.header import Header

_log = logging.getLogger(__name__)

LARGEST_ID = 2**32 - 1

_ACCEPTED = "labels are whole numbers: 0 for background, one number per cell"
_MASK_WAY_OUT = (
    "give every cell its own number (in Fiji: Analyze Particles, `Count Masks`; in Python: skimage.measure.label), "
    "and separate the cells that touch"
)
_SMALL_PX = 10
_SMALL_PART = 0.05
_FEW_IDS = 3
_PARTS_PER_ID = 3
_TINY_PX = 2
_LOOKED_AT_PX = 1024
_FLAT = 0.9


def check_label_header(
    header: Header, shape_px: tuple[int, ...] | None = None, image: Path | None = None
) -> None:
    """Refuse, before reading, what cannot be the labels of an image, or not of `image` of `shape_px`.

    Raises
    ------
    InputError
        If it is a colour picture, has channels, or another shape than the image.
    """
    if header.axes == "YXS":
        raise InputError(
            f"{header.path}: is a colour picture {header.shape}; colours are no cell numbers (a colour may repeat, "
            f"and edges may be blended), and {_ACCEPTED}. Export the label image itself, 8, 16 or 32 bit grey"
        )
    if shape_px is not None and (header.shape_px != shape_px or len(header.axes) != len(shape_px)):
        raise InputError(
            f"{header.path}: labels are {header.described} and the image {image.name if image else ''} is {shape_px}; "
            "both must have the same shape, so crop one or check that they belong together"
        )
    if header.axes not in ("YX", "ZYX", "QYX"):
        raise InputError(f"{header.path}: labels have axes {header.described}; YX and ZYX are accepted")


@dataclass(frozen=True)
class LabelNotes:
    """What is odd about the label files of a folder, to be said in one line each instead of one per file."""

    masks: dict[Path, int] = field(default_factory=dict)
    """Files that look like masks of foreground or classes, to the number of their regions."""

    def tell(self, source: Path, n_files: int) -> None:
        """Log them for a folder of `n_files`.

        A segmenter that finds one cell in pieces looks like a mask in that file, so it takes half of the files.
        """
        if 2 * len(self.masks) >= n_files and self.masks:
            path, n_parts = next(iter(self.masks.items()))
            _log.warning(
                "%s: %d of %d files look like masks of foreground, such as %s with %d separate regions of the same "
                "value; all regions of one value are scored as one cell. If every region is a cell, %s",
                source,
                len(self.masks),
                n_files,
                path.name,
                n_parts,
                _MASK_WAY_OUT,
            )


def read_label_file(
    path: Path,
    *,
    may_be_mask: bool = False,
    may_have_gaps: bool = False,
    keeps_ids: bool = False,
    notes: LabelNotes | None = None,
) -> Labels:
    """Read labels and number them 1..N without gaps, in the order of their ids; gaps are logged.

    Parameters
    ----------
    may_be_mask
        Accept few values on many separate regions, as a poor segmenter gives.
    may_have_gaps
        Say nothing of ids with gaps, as a frame of a tracked sequence has them.
    keeps_ids
        Leave the ids as the file has them, for what is told of single objects.
    notes
        Takes down masks that are accepted.

    Returns
    -------
    labels : int32
        All 0 where nothing is labelled. With `keeps_ids` the type of the file.

    Raises
    ------
    InputError
        If values are negative, fractional, not finite or too large, if the file is a mask or class map (few
        values on many separate regions), or a grey image (many values on scattered pixels).
    """
    pixels = read_pixels(path)
    whole = _as_whole_numbers(path, pixels)
    ids = np.unique(whole)
    ids = ids[ids > 0]
    if not may_be_mask:
        _refuse_mask(path, whole, ids)
        refuse_grey_image(path, whole)
    elif notes is not None and (n_parts := _parts_of_mask(whole, ids)):
        notes.masks[path] = n_parts
    if keeps_ids:
        return whole
    if not may_have_gaps:
        note_gaps(path, ids)
    return _numbered(whole, ids)


def note_gaps(path: Path, ids: np.ndarray) -> None:
    """Log that ids have gaps, where they have."""
    if len(ids) > 1 and int(ids[-1]) > len(ids):
        _tell_of_gaps(path, path.stat().st_mtime_ns, len(ids), int(ids[-1]))


@lru_cache(maxsize=10_000)
def _tell_of_gaps(path: Path, _mtime_ns: int, n_cells: int, largest: int) -> None:
    """Warn once of a file that several stages read."""
    _log.warning(
        "%s: the ids of its %d cells have gaps (largest %d); they are numbered 1 to %d in memory, in the same "
        "order, and the file stays as it is",
        path,
        n_cells,
        largest,
        n_cells,
    )


def _as_whole_numbers(path: Path, pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype == bool:
        return pixels.astype(np.uint8)
    if pixels.dtype.kind not in "uif":
        raise InputError(f"{path}: values are of type {pixels.dtype}; {_ACCEPTED}")
    if pixels.dtype.kind == "f":
        n_bad = int(np.count_nonzero(~np.isfinite(pixels)))
        if n_bad:
            raise InputError(f"{path}: {n_bad} values are NaN or infinite; {_ACCEPTED}")
        fractional = pixels != np.rint(pixels)
        if fractional.any():
            example = float(pixels[fractional][0])
            raise InputError(
                f"{path}: {int(fractional.sum())} values are fractions, such as {example:g}; {_ACCEPTED}. "
                "Was it resized with interpolation, or is it a probability map? Resize with nearest neighbour"
            )
        raise InputError(
            f"{path}: values are {pixels.dtype}, though whole ({pixels.min():g} to {pixels.max():g}); labels are "
            "stored as integers, so save it as 16 or 32 bit unsigned"
        )
    if pixels.dtype.kind == "i" and pixels.min() < 0:
        raise InputError(
            f"{path}: {int((pixels < 0).sum())} values are negative, down to {pixels.min()}; {_ACCEPTED}. "
            "Set the regions to ignore to 0"
        )
    if pixels.max() > LARGEST_ID:
        raise InputError(f"{path}: the largest id is {pixels.max()}; ids up to {LARGEST_ID} are accepted")
    return pixels


def _numbered(whole: np.ndarray, ids: np.ndarray) -> Labels:
    """Ids to 1..N; without a detour where they are so already."""
    if not len(ids) or int(ids[-1]) == len(ids):
        return whole.astype(np.int32)
    labels = np.searchsorted(ids, whole).astype(np.int32) + 1
    labels[whole == 0] = 0
    return labels


def _parts_of_mask(labels: Labels, ids: np.ndarray) -> int:
    """Regions of what are classes and no cells; 0 where they are cells."""
    if not may_be_classes(len(ids)):
        return 0
    return parts_of_classes([_areas(labels == i) for i in ids])


def may_be_classes(n_ids: int) -> bool:
    """Tell whether so few ids may stand for classes, if the regions say so too."""
    return 0 < n_ids <= _FEW_IDS


def parts_of_classes(areas: Sequence[np.ndarray]) -> int:
    """Regions of what are classes and no cells: few ids on many separate regions; 0 where they are cells.

    Crumbs and holes do not count as regions.

    Parameters
    ----------
    areas
        For each id, the sizes of its connected regions (corners connect).
    """
    n_ids = len(areas)
    n_parts = sum(
        int(np.count_nonzero((a >= _SMALL_PX) & (a >= _SMALL_PART * a.max(initial=0)))) for a in areas
    )
    return n_parts if n_parts > 1 and n_parts >= (2 if n_ids == 1 else _PARTS_PER_ID * n_ids) else 0


def _refuse_mask(path: Path, labels: Labels, ids: np.ndarray) -> None:
    n_parts = _parts_of_mask(labels, ids)
    if n_parts:
        raise mask_error(path, ids, n_parts)


def mask_error(path: Path, ids: np.ndarray, n_parts: int) -> InputError:
    """Say that a file is a mask, which `parts_of_classes` found."""
    values = ", ".join(str(i) for i in ids)
    return InputError(
        f"{path}: the only values besides 0 are {values}, on {n_parts} separate regions: this is a mask of "
        f"foreground or classes, and {_ACCEPTED}; {_MASK_WAY_OUT}"
    )


def refuse_grey_image(path: Path, labels: Labels) -> None:
    """Refuse what was read as labels and is a grey image; `read_label_file` does, but where masks are accepted.

    In a grey image neighbouring pixels differ, and the same value comes again all over it.

    In 210 images of public sets (8 and 16 bit, fluorescence to histology) 72 % or more of the regions of one value are
    of one or two pixels, and there are 2.7 regions or more per value; in 83 label images at most 5 %, and 1.1.

    Raises
    ------
    InputError
        If so.
    """
    from skimage.measure import label  # here, and not above: a worker that reads images does without

    plane = labels[middle_of(labels.shape)].reshape(-1, min(labels.shape[-1], _LOOKED_AT_PX))
    n_values = len(np.unique(plane[plane > 0]))
    if n_values <= _FEW_IDS:
        return
    areas = np.bincount(label(plane, background=0, connectivity=1).ravel())[1:]
    is_scattered = np.mean(areas <= _TINY_PX) > 0.5
    is_repeated = len(areas) > 2 * n_values
    is_everywhere = areas.sum() > plane.size / 2  # so many values that few of them come twice
    if is_scattered and (is_repeated or is_everywhere):
        raise InputError(
            f"{path}: is a grey image and no labels: {n_values} values lie on {len(areas)} regions, most of them of "
            f"one or two pixels; {_ACCEPTED}. Give the label images that belong to the images"
        )


def middle_of(shape: tuple[int, ...]) -> tuple[slice, ...]:
    """Part of the middle plane that is enough to tell a grey image from labels."""
    window = tuple(slice(max(n - _LOOKED_AT_PX, 0) // 2, (n + _LOOKED_AT_PX) // 2) for n in shape[-2:])
    return (*(slice(n // 2, n // 2 + 1) for n in shape[:-2]), *window)


def looks_like_labels(plane: np.ndarray) -> bool:
    """Tell whether a picture that was given as an image is one of labels, or a mask.

    Above the lowest value neighbouring pixels are equal, and hardly a value comes on two separate regions. Of 590
    images of DSB 2018, BBBC005 and BBBC007 none is taken for labels, and all 548 label images of DSB 2018 are.
    """
    from skimage.measure import label

    seen = plane[tuple(slice(max(n - _LOOKED_AT_PX, 0) // 2, (n + _LOOKED_AT_PX) // 2) for n in plane.shape)]
    _, values = np.unique(seen, return_inverse=True)
    numbered = values.reshape(seen.shape)
    pairs = [(numbered[1:], numbered[:-1]), (numbered[:, 1:], numbered[:, :-1])]
    n_pairs = sum(int(np.count_nonzero((a > 0) & (b > 0))) for a, b in pairs)
    n_equal = sum(int(np.count_nonzero((a == b) & (a > 0))) for a, b in pairs)
    if n_equal <= _FLAT * n_pairs:
        return False
    n_values = int(numbered.max())
    return n_values <= _FEW_IDS or int(label(numbered, background=0, connectivity=1).max()) <= 2 * n_values


def _areas(mask: np.ndarray) -> np.ndarray:
    """Sizes of the connected regions (corners connect)."""
    regions = np.empty(mask.shape, np.int32)
    ndimage.label(mask, ndimage.generate_binary_structure(mask.ndim, mask.ndim), output=regions)
    return np.bincount(regions.ravel())[1:]
