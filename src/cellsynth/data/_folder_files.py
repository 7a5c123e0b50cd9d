"""Which files of a folder are images."""

import re
from difflib import get_close_matches
from pathlib import Path

from ..core.errors import InputError
from ..io.formats import kind_of

_IMAGE_SUFFIXES = frozenset(
    ".png .tif .tiff .jpg .jpeg .jp2 .bmp .gif .webp .npy .npz .h5 .hdf5 .ims .czi .nd2 .lif .lsm .oib .oif .vsi "
    ".svs .ndpi .dcm .nii .mrc .stk .flex .heic .avif".split()
)
_NO_IMAGE_SUFFIXES = frozenset(
    ".txt .csv .tsv .json .md .rst .html .htm .xml .yaml .yml .toml .ini .cfg .log .pdf .doc .docx .xls .xlsx .py "
    ".ipynb .m .r .ijm .parquet .db .lnk .url .zip .roi .sh .bat".split()
)

LABEL_SUFFIXES = ("_labels", "_label", "_masks", "_mask", "_instances", "_cp_masks", "_gt")
"""What the name of a label file may have behind the name of its image."""


def find_image_files(path: Path, what: str = "images", *, may_be_zarr: bool = False) -> list[Path]:
    """List the image files of a folder in natural order; a file stands for itself.

    Hidden files, documents, tables and subfolders are left out.

    Parameters
    ----------
    may_be_zarr
        Take OME-Zarr volumes, which are folders, as well.

    Raises
    ------
    InputError
        If there is no such folder, if it holds no image, or files of which it is not clear what they are.
    """
    if path.is_file() or (may_be_zarr and is_named_zarr(path)):
        return [path]
    if not path.exists():
        near = _nearest(path)
        raise InputError(
            f"{path}: there is no such folder or file{near}; give the folder that holds the {what}"
        )
    try:
        entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
        files = sorted(
            (e for e in entries if _is_meant_as_file(e) or (may_be_zarr and is_named_zarr(e))),
            key=natural_key,
        )
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check that you may open it") from error
    found = [file for file in files if file.is_dir() or _may_be_image(file)]
    if not found:
        accepted = "PNG, TIFF and OME-Zarr" if may_be_zarr else "PNG and TIFF"
        raise InputError(f"{path}: holds no {what}; {accepted} files are accepted{_inside(entries)}")
    return found


def natural_key(path: Path) -> tuple[tuple[int, int, str], ...]:
    """Sort key by which `a2` comes before `a10`."""
    parts = re.split(r"(\d+)", path.name.casefold())
    key = tuple((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part)
    return (*key, (2, 0, path.name))


def stem_of(path: Path) -> str:
    """Name of the sample in a file: without extension, and without the `.ome` before it."""
    stem = path.stem
    return stem[:-4] if stem.lower().endswith(".ome") else stem


def without_label_suffix(stem: str) -> str:
    """Name of the image that a label file belongs to."""
    for suffix in sorted(LABEL_SUFFIXES, key=len, reverse=True):
        if stem.lower().endswith(suffix) and len(stem) > len(suffix):
            return stem[: -len(suffix)]
    return stem


def is_named_zarr(path: Path) -> bool:
    """Tell whether a folder is, or by its name should be, a Zarr store."""
    return path.is_dir() and (path.suffix.lower() == ".zarr" or kind_of(path) == "zarr")


def _is_meant_as_file(entry: Path) -> bool:
    """A file, or a link whose file is gone; no folder, pipe or device."""
    return entry.is_file() or (entry.is_symlink() and not entry.exists())


def _may_be_image(file: Path) -> bool:
    """Tell by name whether a file is meant as an image, and by content where the name says nothing."""
    suffix = file.suffix.lower()
    if suffix in _IMAGE_SUFFIXES:
        return True
    if suffix in _NO_IMAGE_SUFFIXES:
        return False
    return kind_of(file) not in ("text", "empty")


def _nearest(path: Path) -> str:
    parent = next((p for p in path.parents if p.is_dir()), None)
    if parent is None:
        return ""
    names = [entry.name for entry in parent.iterdir() if entry.is_dir()]
    near = get_close_matches(path.name, names, n=1)
    return f" (did you mean {parent / near[0]}?)" if near else ""


def _inside(entries: list[Path]) -> str:
    folders = sorted(entry.name for entry in entries if entry.is_dir())
    if folders:
        return f", and subfolders are not searched: give one of {', '.join(folders[:5])}"
    if entries:
        return f", and it holds {', '.join(sorted(e.name for e in entries)[:5])}"
    return ", and it is empty"
