"""TIFF, OME-TIFF, BigTIFF and the TIFF of ImageJ, with axes and pixel size."""

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import quoteattr

import numpy as np
import tifffile

from ..core.errors import InputError
from ._tiff_scale import read_channel_names, read_scale
from .atomic import replacing
from .header import Header, without_single_axes
from .memory import check_memory

_log = logging.getLogger(__name__)

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

# The 32 bit offsets of plain TIFF end at 4 GiB; the rest is room for the tags and for data that do not compress.
_PLAIN_TIFF_BYTES = 3_900_000_000

# Noise hardly compresses: level 6 takes three times as long as level 1 and saves 1 % of an image.
_ZLIB_LEVEL = 1

_OME_TYPES = {"uint8": "uint8", "uint16": "uint16", "uint32": "uint32", "float32": "float"}

_LOSSY = tuple(
    tifffile.COMPRESSION[name]
    for name in ("OJPEG", "JPEG", "JPEG_LOSSY", "WEBP", "APERIO_JP2000_YCBC", "APERIO_JP2000_RGB", "ALT_JPEG")
)

# What the parser raises on damaged files, besides its own error, which is a ValueError.
_DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    RuntimeError,
    MemoryError,
    EOFError,
    struct.error,
    zlib.error,
    ParseError,
)


def read_tiff_header(path: Path) -> Header:
    """Read shape, axes, type and scale of a TIFF file, and check that the file is whole; no pixel is decoded.

    Raises
    ------
    InputError
        If the file is damaged, ends early, or holds several images of different kinds.
    """
    with _opened(path) as tiff:
        return _header(path, tiff)


def read_tiff(path: Path) -> np.ndarray:
    """Read the pixels of a TIFF file, in the axes that its header says.

    Raises
    ------
    InputError
        If the file is damaged, holds several images, or needs more memory than there is.
    """
    with _opened(path) as tiff:
        header = _header(path, tiff)
        check_memory(path, header.shape, header.dtype)
        series = tiff.series[0]
        pixels = np.asarray(series.asarray(maxworkers=1))
        if series.axes == "SYX":  # colour planes one after the other
            pixels = np.moveaxis(pixels, 0, -1)
    return np.ascontiguousarray(pixels.reshape(header.shape))


def write_tiff(
    path: Path,
    pixels: np.ndarray,
    *,
    axes: str,
    voxel_um: tuple[float, ...] | None = None,
    name: str = "",
    is_compressed: bool = True,
    is_synced: bool = True,
) -> None:
    """Write pixels as OME-TIFF; equal arguments give equal bytes.

    Above 3.9 GB the file is a BigTIFF.

    Parameters
    ----------
    pixels : uint8, uint16, uint32 or float32
    axes
        One letter per axis: `YX`, `ZYX`, `CYX` or `CZYX`.
    voxel_um
        Size of a voxel per spatial axis, `zyx`; None where it is not known.
    name
        Kept in the file as the name of the image.
    is_compressed
        By zlib; without loss either way.
    is_synced
        As in `replacing`.

    Raises
    ------
    TypeError
        If `pixels` has another type, or `axes` does not fit.
    StorageError
        If the file cannot be written.
    """
    if axes not in ("YX", "ZYX", "CYX", "CZYX") or len(axes) != pixels.ndim or not pixels.size:
        raise TypeError(f"axes {axes!r} and shape {pixels.shape} do not describe an image")
    if pixels.dtype.name not in _OME_TYPES:
        raise TypeError(f"TIFF is written as {', '.join(_OME_TYPES)}, not as {pixels.dtype}; convert first")
    with replacing(path, is_synced=is_synced) as file, _quiet():
        writer = tifffile.TiffWriter(
            file, bigtiff=pixels.nbytes > _PLAIN_TIFF_BYTES, byteorder="<", ome=False
        )
        with writer:
            writer.write(
                np.ascontiguousarray(pixels),
                photometric="minisblack",
                planarconfig=None,
                compression="zlib" if is_compressed else None,
                compressionargs={"level": _ZLIB_LEVEL} if is_compressed else None,
                description=_ome_xml(pixels, axes, voxel_um, name).encode(),
                metadata=None,
                software=False,
                maxworkers=1,
                **_resolution(voxel_um),
            )


@contextmanager
def _quiet() -> Iterator[None]:
    """Turn what the parser logs into debug messages; what matters to the user becomes an error here."""

    def turn_down(record: logging.LogRecord) -> bool:
        _log.debug("tifffile: %s", record.getMessage())
        return False

    log = tifffile.logger()
    log.addFilter(turn_down)
    try:
        yield
    finally:
        log.removeFilter(turn_down)


@contextmanager
def _opened(path: Path) -> Iterator[tifffile.TiffFile]:
    """Open for reading; whatever the parser raises on a damaged file becomes an InputError."""
    try:
        # One file only: an OME header may name others, and a header is not to be trusted with that.
        with _quiet(), tifffile.TiffFile(path, _multifile=False) as tiff:
            yield tiff
    except InputError:
        raise
    except _DAMAGE as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _damaged(path, f"cannot be read ({reason})") from error


def _header(path: Path, tiff: tifffile.TiffFile) -> Header:
    if not len(tiff.series):
        raise _damaged(path, "holds no image")
    if len(tiff.series) > 1:
        shapes = ", ".join(f"{s.axes} {s.shape}" for s in tiff.series[:4])
        raise InputError(
            f"{path}: holds {len(tiff.series)} images ({shapes}); one image per file is accepted, so save the one "
            "that you want as a file of its own"
        )
    series = tiff.series[0]
    _check_whole(path, series, path.stat().st_size)
    axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    axes = "".join("Q" if axis in "IRO" else axis for axis in axes)
    if not set("YX") <= set(axes):
        axes = axes[:-2] + "YX"
    axes, shape = without_single_axes(axes, tuple(int(n) for n in shape))
    if axes == "SYX":
        axes, shape = "YXS", (*shape[1:], shape[0])
    page: Any = series.keyframe
    names = ("red", "green", "blue") if axes == "YXS" and shape[-1] >= 3 else read_channel_names(tiff)
    return Header(
        path=path,
        format="tiff",
        axes=axes,
        shape=shape,
        dtype=np.dtype(series.dtype),
        bits=int(page.bitspersample),
        photometric=tifffile.PHOTOMETRIC(page.photometric).name.lower(),
        is_lossy=page.compression in _LOSSY,
        voxel_um=read_scale(tiff),
        channel_names=names,
    )


def _check_whole(path: Path, series: tifffile.TiffPageSeries, n_bytes: int) -> None:
    """Refuse a file whose pixels lie, in part, behind its end; the parser would fill them with zeros."""
    expected = -(-series.size // max(series.keyframe.size, 1))
    pages = [page for page in series.pages if page is not None]
    if len(pages) < expected and series.dataoffset is None:
        raise _damaged(path, f"announces {expected} planes and holds {len(pages)}")
    for page in pages:
        for offset, count in zip(page.dataoffsets, page.databytecounts, strict=True):
            if offset + count > n_bytes or count == 0:
                raise _damaged(path, f"ends early ({n_bytes:,} bytes; its pixels need more)")
    if series.dataoffset is not None and series.dataoffset + series.nbytes > n_bytes:
        raise _damaged(path, f"ends early ({n_bytes:,} bytes; its pixels need more)")


def _ome_xml(pixels: np.ndarray, axes: str, voxel_um: tuple[float, ...] | None, name: str) -> str:
    """Describe the array as OME 2016-06; without identifiers or dates, so the bytes depend on the content only."""
    sizes = {axis: 1 for axis in "XYZCT"} | dict(zip(axes, pixels.shape, strict=True))
    scale = ""
    if voxel_um is not None:
        spatial = [axis for axis in axes if axis in "ZYX"]
        for axis, size in zip(spatial, voxel_um, strict=True):
            scale += f' PhysicalSize{axis}="{float(size)!r}" PhysicalSize{axis}Unit="\u00b5m"'
    channels = "".join(f'<Channel ID="Channel:0:{i}" SamplesPerPixel="1"/>' for i in range(sizes["C"]))
    lengths = " ".join(f'Size{axis}="{n}"' for axis, n in sizes.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:schemaLocation="http://www.openmicroscopy.org/Schemas/OME/2016-06 '
        'http://www.openmicroscopy.org/Schemas/OME/2016-06/ome.xsd">'
        f'<Image ID="Image:0" Name={quoteattr(name)}>'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{_OME_TYPES[pixels.dtype.name]}" {lengths}{scale}>'
        f"{channels}<TiffData/></Pixels></Image></OME>"
    )


def _resolution(voxel_um: tuple[float, ...] | None) -> dict[str, Any]:
    """Pixel size for readers that do not know OME, as pixels per cm."""
    if voxel_um is None:
        return {"resolution": (1, 1), "resolutionunit": "NONE"}
    return {"resolution": (1e4 / voxel_um[-1], 1e4 / voxel_um[-2]), "resolutionunit": "CENTIMETER"}


def _damaged(path: Path, what: str) -> InputError:
    return InputError(f"{path}: is a TIFF file that {what}; it is damaged, so copy or save it again")
