"""JPEG pictures, for what compression does no harm to: masks, of which only a threshold is taken."""

import struct
from pathlib import Path

import imagecodecs
import numpy as np

from ..core.errors import InputError
from .header import Header
from .memory import check_memory

SIGNATURE = b"\xff\xd8\xff"

_END = b"\xff\xd9"
_SCAN = 0xDA
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a frame, which holds the size; the other three are tables. ITU-T T.81, table B.1."""


def is_jpeg(path: Path) -> bool:
    """Tell by its first bytes whether a file is a JPEG picture."""
    try:
        with path.open("rb") as file:
            return file.read(len(SIGNATURE)) == SIGNATURE
    except OSError:
        return False  # whoever reads it says why


def read_jpeg_header(path: Path) -> Header:
    """Read size and colours of a JPEG picture, and check that it is whole; no pixel is decoded.

    Raises
    ------
    InputError
        If it is damaged, ends early, has not 8 bits, or colours of print.
    """
    bits, height, width, n_samples = _frame(path, path.read_bytes())
    if bits != 8:
        raise InputError(f"{path}: is a JPEG picture of {bits} bits; 8 are read, so save it as PNG or TIFF")
    if n_samples not in (1, 3):
        raise InputError(
            f"{path}: is a JPEG picture of {n_samples} channels, as for print; save it as grey or RGB"
        )
    return Header(
        path=path,
        format="jpeg",
        axes="YX" if n_samples == 1 else "YXS",
        shape=(height, width) if n_samples == 1 else (height, width, n_samples),
        dtype=np.dtype(np.uint8),
        bits=8,
        photometric="minisblack" if n_samples == 1 else "rgb",
        is_lossy=True,
        channel_names=("red", "green", "blue") if n_samples == 3 else (),
    )


def read_jpeg(path: Path) -> np.ndarray:
    """Read the pixels of a JPEG picture.

    Returns
    -------
    pixels : (Y, X) or (Y, X, 3), uint8

    Raises
    ------
    InputError
        As `read_jpeg_header`, or if it needs more memory than there is.
    """
    header = read_jpeg_header(path)
    check_memory(path, header.shape, header.dtype)
    try:
        pixels = np.array(imagecodecs.jpeg_decode(path.read_bytes()), copy=None)
    except (imagecodecs.JpegError, ValueError, RuntimeError, MemoryError) as error:
        raise _damaged(path, f"cannot be decoded ({error})") from error
    if pixels.shape != header.shape:
        raise _damaged(path, f"announces {header.shape} and holds {pixels.shape}")
    return pixels


def _frame(path: Path, data: bytes) -> tuple[int, int, int, int]:
    """Bits, height, width and channels, from the segments before the pixels."""
    if not data.startswith(SIGNATURE):
        raise _damaged(path, "does not begin like one")
    found, at = None, 2
    while at + 4 <= len(data):
        mark, kind, n_bytes = struct.unpack_from(">BBH", data, at)
        if mark != 0xFF:
            raise _damaged(path, f"has no marker at byte {at}")
        if kind == 0xFF:  # fill bytes may precede a marker
            at += 1
            continue
        if kind == _SCAN:
            # Within pixels every byte 255 is followed by 0 or a restart marker, so that this is the end and no pixel.
            if found is None or data.find(_END, at) < 0:
                break
            return found
        if kind in _FRAMES and at + 10 <= len(data):
            bits, height, width, n_samples = struct.unpack_from(">BHHB", data, at + 4)
            if not height or not width:
                raise _damaged(path, f"has an impossible size ({width} x {height})")
            found = bits, height, width, n_samples
        at += 2 + n_bytes
    raise _damaged(path, "ends early")


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path}: is a JPEG picture that {what}; it is damaged, so copy or save it again")
