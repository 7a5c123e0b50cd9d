"""Recognise image files by their content, and read what is accepted."""

from pathlib import Path
from typing import Literal

import numpy as np

from ..core.errors import InputError
from . import ome_zarr, png, tiff
from .header import Header

_LOSSY = (
    "its compression changes grey values; export the original from the microscope software as TIFF or PNG"
)
_VENDOR = "export it as OME-TIFF with Fiji (Bio-Formats) or the software of the microscope"
_ARCHIVE = "unpack it first"

# First bytes -> what it is, and the way out.
_OTHERS: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\xff\xd8\xff", "a JPEG picture", _LOSSY),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 picture", _LOSSY),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 picture", _LOSSY),
    (8, b"WEBP", "a WebP picture", _LOSSY),
    (4, b"ftypavif", "an AVIF picture", _LOSSY),
    (4, b"ftypheic", "a HEIC picture", _LOSSY),
    (0, b"GIF8", "a GIF picture", "save it as PNG"),
    (0, b"BM", "a BMP picture", "save it as PNG"),
    (0, b"\x93NUMPY", "a NumPy array", "save it with `tifffile.imwrite`"),
    (0, b"\x89HDF", "an HDF5 file (such as Imaris or ilastik)", "export it as TIFF"),
    (0, b"ZISRAWFILE", "a Zeiss CZI file", _VENDOR),
    (0, b"\xda\xce\xbe\x0a", "a Nikon ND2 file", _VENDOR),
    (0, b"\x70\0\0\0", "a Leica LIF file", _VENDOR),
    (128, b"DICM", "a DICOM file", _VENDOR),
    (0, b"\xd0\xcf\x11\xe0", "an Office or Olympus OIB file", _VENDOR),
    (0, b"PK\x03\x04", "a ZIP archive or Office document", _ARCHIVE),
    (0, b"\x1f\x8b", "a gzip archive", _ARCHIVE),
    (0, b"%PDF", "a PDF document", "save the picture in it as PNG or TIFF"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself", "run `git lfs pull`"),
)

Kind = Literal["png", "tiff", "zarr", "text", "empty", "other"]


def kind_of(path: Path) -> Kind:
    """Tell by the first bytes what a file is, whatever its name; a folder may be a Zarr store."""
    if path.is_dir():
        return "zarr" if ome_zarr.is_zarr(path) else "other"
    start = _first_bytes(path)
    if not start:
        return "empty"
    if start.startswith(png.SIGNATURE):
        return "png"
    if start.startswith(tiff.SIGNATURES):
        return "tiff"
    if not _recognised(start) and _is_text(start):
        return "text"
    return "other"


def read_header(path: Path) -> Header:
    """Read shape, axes, type and scale of an image file or a label volume, without its pixels.

    Raises
    ------
    InputError
        If it is no PNG or TIFF file, or a damaged one; says what it is and the way out.
    """
    kind = kind_of(path)
    if kind == "zarr":
        return ome_zarr.open_labels(path).header
    if kind not in ("png", "tiff"):
        raise InputError(f"{path}: {_explain(path, kind)}")
    try:
        return png.read_png_header(path) if kind == "png" else tiff.read_tiff_header(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def read_pixels(path: Path) -> np.ndarray:
    """Read the pixels of an image file, as stored, in the axes that `read_header` says.

    Raises
    ------
    InputError
        If it is no PNG or TIFF file, damaged, or larger than memory allows.
    """
    if kind_of(path) == "zarr":
        return ome_zarr.open_labels(path).read()
    header = read_header(path)
    try:
        return png.read_png(path) if header.format == "png" else tiff.read_tiff(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise _unreadable(path, error) from error


def _recognised(start: bytes) -> tuple[str, str] | None:
    for offset, magic, what, way_out in _OTHERS:
        if start[offset : offset + len(magic)] == magic:
            return what, way_out
    return None


def _explain(path: Path, kind: Kind) -> str:
    if path.is_dir():
        return "is a folder and no OME-Zarr volume; it has no zarr.json, .zgroup or .zarray"
    if kind == "empty":
        return "is empty (zero bytes); PNG and TIFF are accepted, so copy or save it again"
    known = _recognised(_first_bytes(path))
    if known:
        return f"is {known[0]}, whatever its name; PNG and TIFF are accepted: {known[1]}"
    if kind == "text":
        return "is a text file, whatever its name; PNG and TIFF are accepted"
    return "is not an image that can be read; PNG and TIFF are accepted, so save it as one of these"


def _is_text(start: bytes) -> bool:
    if b"\0" in start:
        return False
    try:
        start[: 512 - 3].decode("utf-8")  # the last character may be cut
    except UnicodeDecodeError as error:
        return error.start > 500
    return True


def _unreadable(path: Path, error: OSError) -> InputError:
    return InputError(
        f"{path}: cannot be read ({error.strerror or error}); check that it exists and may be read"
    )
