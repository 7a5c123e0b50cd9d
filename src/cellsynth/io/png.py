"""PNG, 8 or 16 bit, grey or colour, with its pixel size."""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import imagecodecs
import numpy as np

from ..core.errors import InputError
from .atomic import write_bytes
from .header import Header, is_plausible_print_scale, rounded_um
from .memory import check_memory

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_N_SAMPLES = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}  # by colour type, PNG specification 11.2.2
_UNIT_METRE = 1


def read_png_header(path: Path) -> Header:
    """Read size, type and scale of a PNG file, and check that the file is whole; no pixel is decoded.

    Raises
    ------
    InputError
        If the file is damaged, ends early, or is an animation.
    """
    chunks: dict[bytes, bytes] = {}
    with path.open("rb") as file:
        if file.read(8) != SIGNATURE:
            raise InputError(f"{path}: is not a PNG file; PNG and TIFF are accepted")
        while b"IEND" not in chunks:
            kind, data = _next_chunk(path, file)
            if not chunks and (kind != b"IHDR" or len(data) != 13):
                raise _damaged(path, "has no header")
            chunks[kind] = data
    width, height, bits, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if not width or not height or colour not in _N_SAMPLES or bits not in (1, 2, 4, 8, 16):
        raise _damaged(
            path, f"has an impossible header ({width} x {height}, {bits} bits, colour type {colour})"
        )
    if b"acTL" in chunks:
        raise InputError(f"{path}: is an animated PNG; save the frame that you want as a picture of its own")
    n_samples = _N_SAMPLES[colour] + (b"tRNS" in chunks)
    return Header(
        path=path,
        format="png",
        axes="YX" if n_samples == 1 else "YXS",
        shape=(height, width) if n_samples == 1 else (height, width, n_samples),
        dtype=np.dtype(np.uint16 if bits == 16 else np.uint8),
        bits=8 if colour == 3 else bits,
        photometric="minisblack" if n_samples <= 2 else "rgb",
        voxel_um=_read_scale(chunks.get(b"pHYs", b"")),
        channel_names=("red", "green", "blue") if n_samples >= 3 else (),
    )


def read_png(path: Path) -> np.ndarray:
    """Read the pixels of a PNG file.

    Returns
    -------
    pixels : (Y, X) or (Y, X, S), uint8 or uint16
        As stored. S is 2 for grey with alpha, 3 for RGB, 4 for RGBA. Palettes are resolved to RGB.

    Raises
    ------
    InputError
        If the file is damaged or needs more memory than there is.
    """
    header = read_png_header(path)
    check_memory(path, header.shape, header.dtype)
    try:
        pixels = np.array(imagecodecs.png_decode(path.read_bytes()), copy=None)
    except (imagecodecs.PngError, ValueError, RuntimeError, MemoryError) as error:
        raise _damaged(path, f"cannot be decoded ({error})") from error
    if pixels.shape != header.shape or pixels.dtype != header.dtype:
        raise _damaged(path, f"announces {header.shape} and holds {pixels.shape}")
    if header.bits < 8:  # the decoder stretches them to 0 to 255, which would change label ids
        grey = pixels if pixels.ndim == 2 else pixels[..., 0]
        grey //= 255 // (2**header.bits - 1)
    return pixels


def write_png(path: Path, pixels: np.ndarray, voxel_um: tuple[float, ...] | None = None) -> None:
    """Write pixels as PNG; equal pixels give equal bytes.

    Parameters
    ----------
    pixels : (Y, X) or (Y, X, S), uint8 or uint16
    voxel_um
        Pixel size, `yx`; stored as whole pixels per metre, to about six digits.

    Raises
    ------
    TypeError
        If `pixels` has another type or shape.
    StorageError
        If the file cannot be written.
    """
    if pixels.dtype not in (np.uint8, np.uint16) or not (
        pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (2, 3, 4))
    ):
        raise TypeError(
            f"PNG holds (Y, X) or (Y, X, 2 to 4) of uint8 or uint16, not {pixels.shape} {pixels.dtype}"
        )
    data = bytes(imagecodecs.png_encode(np.ascontiguousarray(pixels), level=6))
    if voxel_um is not None:
        data = _with_scale(data, voxel_um)
    write_bytes(path, data)


def _next_chunk(path: Path, file: BinaryIO) -> tuple[bytes, bytes]:
    """Kind and content of the next chunk; the content of large ones is skipped, but must be there."""
    start = file.read(8)
    if len(start) < 8:
        raise _damaged(path, "ends early")
    n_bytes, kind = struct.unpack(">I4s", start)
    if kind in (b"IHDR", b"pHYs"):
        data = file.read(min(n_bytes, 64))
        skipped = n_bytes - len(data) + 4
    else:
        data, skipped = b"", n_bytes + 4
    file.seek(skipped - 1, 1)
    if not file.read(1):
        raise _damaged(path, "ends early")
    return kind, data


def _read_scale(chunk: bytes) -> tuple[float, float, float] | None:
    if len(chunk) != 9:
        return None
    per_metre_x, per_metre_y, unit = struct.unpack(">IIB", chunk)
    if unit != _UNIT_METRE or not per_metre_x or not per_metre_y:
        return None
    y_um, x_um = rounded_um(1e6 / per_metre_y), rounded_um(1e6 / per_metre_x)
    if not (is_plausible_print_scale(y_um) and is_plausible_print_scale(x_um)):
        return None
    return 1.0, y_um, x_um


def _with_scale(data: bytes, voxel_um: tuple[float, ...]) -> bytes:
    """Insert a `pHYs` chunk behind the header, which ends at byte 33."""
    y_um, x_um = voxel_um[-2:]
    content = b"pHYs" + struct.pack(">IIB", round(1e6 / x_um), round(1e6 / y_um), _UNIT_METRE)
    chunk = struct.pack(">I", 9) + content + struct.pack(">I", zlib.crc32(content))
    return data[:33] + chunk + data[33:]


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path}: is a PNG file that {what}; it is damaged, so copy or save it again")
