"""Voxel size and channel names in the dialects of TIFF."""

from typing import Any
from xml.etree import ElementTree

import tifffile

from .header import is_length, is_plausible_print_scale, rounded_um

_UM_PER = {
    "m": 1e6,
    "dm": 1e5,
    "cm": 1e4,
    "mm": 1e3,
    "um": 1.0,
    "\u00b5m": 1.0,  # micro sign
    "\u03bcm": 1.0,  # Greek mu
    "\\u00b5m": 1.0,  # as ImageJ escapes it
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "micrometre": 1.0,
    "nm": 1e-3,
    "pm": 1e-6,
    "\u00e5": 1e-4,
    "angstrom": 1e-4,
    "in": 25400.0,
    "inch": 25400.0,
    "inches": 25400.0,
}
_PRINT_UNITS = ("cm", "in", "inch", "inches")
_OME_DEFAULT_UNIT = "\u00b5m"


def read_scale(tiff: tifffile.TiffFile) -> tuple[float, float, float] | None:
    """Find the voxel size, `zyx` in um; None where the file has none that can be believed.

    OME says it outright; a missing axis of X and Y is taken equal to the other. ImageJ gives pixels per `unit`.
    Plain TIFF gives pixels per cm or inch, which is believed only where it is no print size.
    """
    if tiff.is_ome:
        return _of_ome(tiff) or _of_tags(tiff)
    if tiff.is_imagej:
        return _of_imagej(tiff)
    return _of_tags(tiff)


def read_channel_names(tiff: tifffile.TiffFile) -> tuple[str, ...]:
    """Names of the channels as OME has them; empty where a channel has no name."""
    pixels = _ome_pixels(tiff) if tiff.is_ome else None
    if pixels is None:
        return ()
    names = tuple(c.get("Name", "") for c in pixels.iterfind("{*}Channel"))
    return names if all(names) else ()


def _ome_pixels(tiff: tifffile.TiffFile) -> ElementTree.Element | None:
    text = tiff.ome_metadata or ""
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ValueError("its OME header defines entities, which OME does not use")
    return ElementTree.fromstring(text).find("{*}Image/{*}Pixels")  # noqa: S314 entities are refused above


def _of_ome(tiff: tifffile.TiffFile) -> tuple[float, float, float] | None:
    pixels = _ome_pixels(tiff)
    if pixels is None:
        return None
    sizes = {axis: _ome_size(pixels, axis) for axis in "ZYX"}
    y_um, x_um = sizes["Y"] or sizes["X"], sizes["X"] or sizes["Y"]
    if y_um is None or x_um is None:
        return None
    return sizes["Z"] or 1.0, y_um, x_um


def _ome_size(pixels: ElementTree.Element, axis: str) -> float | None:
    unit = pixels.get(f"PhysicalSize{axis}Unit", _OME_DEFAULT_UNIT).lower()
    size_um = _number(pixels.get(f"PhysicalSize{axis}")) * _UM_PER.get(unit, float("nan"))
    if not is_length(size_um):
        return None
    return size_um if _UM_PER[unit] == 1.0 else rounded_um(size_um)


def _of_imagej(tiff: tifffile.TiffFile) -> tuple[float, float, float] | None:
    known: dict[str, Any] = tiff.imagej_metadata or {}
    unit = str(known.get("unit", "")).strip().lower()
    if unit not in _UM_PER:
        return None
    pixel = _per_unit(tiff, _UM_PER[unit], is_print=unit in _PRINT_UNITS)
    if pixel is None:
        return None
    z_um = rounded_um(abs(_number(known.get("spacing"))) * _UM_PER[unit])
    return z_um if is_length(z_um) else 1.0, *pixel


def _of_tags(tiff: tifffile.TiffFile) -> tuple[float, float, float] | None:
    tags = tiff.pages.first.tags
    unit = int(tags.valueof("ResolutionUnit", default=2))  # 2 is inch, 3 is cm
    pixel = _per_unit(tiff, {2: 25400.0, 3: 1e4}.get(unit, float("nan")), is_print=True)
    return None if pixel is None else (1.0, *pixel)


def _per_unit(tiff: tifffile.TiffFile, unit_um: float, *, is_print: bool) -> tuple[float, float] | None:
    sizes = []
    for name in ("YResolution", "XResolution"):
        value = tiff.pages.first.tags.valueof(name, default=None)
        if not isinstance(value, tuple) or len(value) != 2 or not value[0] or not value[1]:
            return None
        sizes.append(unit_um * value[1] / value[0])
    if not all(map(is_plausible_print_scale if is_print else is_length, sizes)):
        return None
    return rounded_um(sizes[0]), rounded_um(sizes[1])


def _number(text: Any) -> float:
    try:
        return float(text)
    except (TypeError, ValueError):
        return float("nan")
