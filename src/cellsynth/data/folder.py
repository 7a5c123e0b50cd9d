"""A plain folder of images, with or without a folder of labels, read as a set."""

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..core.errors import InputError, RecipeError
from ..core.grid import Grid
from ..io.formats import read_header, read_pixels
from ..io.header import Header
from ..io.memory import check_memory
from ._folder_files import LABEL_SUFFIXES, find_image_files, stem_of, without_label_suffix
from .channels import COLOURS, EQUAL, Channel, check_channel, find_channel, n_channels, parse_channel
from .image_set import Entry, ImageSet, raise_together
from .label_file import check_label_header

_log = logging.getLogger(__name__)

_FLOAT_BITS = 16


@dataclass(frozen=True)
class _Found:
    """An image file with what was decided about it."""

    header: Header

    channel: int | str | None
    """Channel to take; None for grey; `COLOURS` where the user must say."""


def read_folder(
    images: Path,
    labels: Path | None = None,
    *,
    channel: Channel = None,
    voxel_um: Sequence[float] | float | None = None,
    only: Collection[str] | None = None,
) -> ImageSet:
    """Read a folder of 2D images as a set; only headers are read now, and pixels of colour pictures.

    PNG and TIFF files are taken, in natural order; hidden files, text, tables and subfolders are ignored. A
    colour picture whose channels are equal, or of which one carries signal, counts as grey.

    Parameters
    ----------
    images
        Folder, or one image file.
    labels
        Folder of label images whose names are those of the images, or those with `_labels`, `_mask` or the like
        behind; or one file for one image. Images may be without labels.
    channel
        Channel of the pictures that have several: index from 0, `red`, `green`, `blue`, the name of a channel,
        or `mean`. Grey images beside those ignore it; where all are grey there are only 0 and `mean`.
    voxel_um
        Pixel size, one number or `(y, x)`; replaces what the files say.
    only
        Names of the images to take, as a table of a public set lists them; the other files are not looked at.

    Raises
    ------
    InputError
        If a file cannot be used, or if the files do not go together; all problems of the folder at once.
    RecipeError
        If the pixel size is not positive.
    """
    images, channel = Path(images), parse_channel(channel)
    scale = _parse_voxel(voxel_um)
    problems: list[str] = []
    found = _read_headers(_select(images, only), channel, problems)
    problems += _mixed(images, found)
    problems += _all_grey(images, found, channel)
    problems += _same_names([item.header.path for item in found])
    if scale is None:
        problems += _mixed_scale(images, found)
    pairs: dict[Path, Path] = {}
    if labels is not None:
        pairs = _pair(Path(labels), images, [item.header.path for item in found], only, problems)
        problems += _check_labels(found, pairs)
    raise_together(images, problems)
    _log_channels(images, found, channel)
    _log_lossy(images, [item.header for item in found if item.header.is_lossy])
    return ImageSet(images, tuple(_entry(item, pairs.get(item.header.path), scale) for item in found))


def _select(images: Path, only: Collection[str] | None) -> list[Path]:
    paths = find_image_files(images)
    if only is None:
        return paths
    missing = sorted(set(only) - {stem_of(path) for path in paths})
    if missing or not only:
        raise InputError(
            f"{images}: has no image of the names asked for: {', '.join(missing[:4]) or 'no name given'}"
        )
    return [path for path in paths if stem_of(path) in only]


def _read_headers(paths: Iterable[Path], channel: Channel, problems: list[str]) -> list[_Found]:
    found = []
    for path in paths:
        try:
            header = read_header(path)
            check_memory(path, header.shape, header.dtype)
            header = _checked_axes(_checked_type(header), channel)
            found.append(_Found(header, _decide_channel(header, channel)))
        except InputError as error:
            problems.append(str(error))
    return found


def _checked_type(header: Header) -> Header:
    """Refuse types whose full scale is not known, and values that are no grey values."""
    path = header.path
    if header.bits == 1:
        raise InputError(
            f"{path}: is black and white (1 bit); grey images are accepted. If these are labels, "
            "pass the folder as labels"
        )
    if header.photometric in ("palette", "miniswhite"):
        what = "numbers of palette colours" if header.photometric == "palette" else "inverted (0 is white)"
        raise InputError(
            f"{path}: its values are {what}; save it as 8 or 16 bit grey (in Fiji: Image > Type)"
        )
    if header.photometric not in ("minisblack", "rgb"):
        raise InputError(f"{path}: its colours are {header.photometric}; save it as grey or RGB")
    if header.dtype not in (np.uint8, np.uint16) and header.dtype.kind != "f":
        raise InputError(
            f"{path}: values are {header.dtype}; uint8, uint16 and floating point in 0 to 1 are accepted. Convert all "
            "images of the set alike, such as to 16 bit in Fiji (Image > Type) without scaling"
        )
    return header


def _checked_axes(header: Header, channel: Channel) -> Header:
    """Refuse stacks and time series; where the user named a channel, an axis without a name holds channels."""
    axes = header.axes
    if axes in ("YX", "YXS", "CYX"):
        return header
    if axes == "QYX" and channel is not None and header.shape[0] <= 16:
        return replace(header, axes="CYX")
    raise InputError(
        f"{header.path}: has axes {header.described}, and 2D images (YX) are accepted. {_hint(header)}"
    )


def _hint(header: Header) -> str:
    axes, shape = header.axes, header.shape
    if len(axes) >= 3 and shape[-1] in (1, 2, 3, 4) and "S" not in axes:
        return (
            f"The last axis has length {shape[-1]}, so these may be channels that were saved as if they were columns: "
            "save it again with the axes declared (tifffile: `photometric='rgb'` or `metadata={'axes': 'YXC'}`)"
        )
    if "Z" in axes:
        return "Project the Z-stack (Fiji: Image > Stacks > Z Project) or save the plane that you want"
    if "T" in axes:
        return "Save the time points as single files (Fiji: Image > Stacks > Stack to Images)"
    if axes == "QYX" and shape[0] <= 4:
        return (
            f"The file does not say what its {shape[0]} planes are: if they are channels, pass the one to take "
            f"(--channel 0 to {shape[0] - 1}); if not, project or split them"
        )
    return "Split it into single planes (Fiji: Image > Stacks > Stack to Images) or project it"


def _decide_channel(header: Header, channel: Channel) -> int | str | None:
    if len(header.axes) == 2:
        return None
    if channel is not None:
        check_channel(header, channel)
        return channel
    return find_channel(header, read_pixels(header.path))


def _mixed(folder: Path, found: Sequence[_Found]) -> list[str]:
    """Colour that needs a decision, colour beside grey, and different types."""
    problems = []
    colour = [item.header for item in found if item.channel == COLOURS]
    grey = [item.header for item in found if item.channel != COLOURS]
    if colour:
        n, example = n_channels(colour[0]), colour[0]
        names = f" ({', '.join(example.channel_names)})" if example.channel_names else ""
        beside = f", beside {_count(grey, 'grey image')}" if grey else ""
        problems.append(
            f"{folder}: {_count(colour, 'image')} with {n} channels{names}, several of which carry signal{beside}; "
            f"one grey channel is needed: pass the one that shows the cells (--channel 0 to {n - 1}, or mean), "
            "or put the images into folders of their own"
        )
    by_type: dict[str, list[Header]] = {}
    for item in found:
        by_type.setdefault(_type_name(item.header), []).append(item.header)
    if len(by_type) > 1:
        kinds = ", ".join(_count(headers, f"{name} image") for name, headers in sorted(by_type.items()))
        problems.append(
            f"{folder}: images of different types: {kinds}; grey values of different full scale cannot be compared, so "
            "put each kind into a folder of its own or convert all to one type"
        )
    return problems


def _all_grey(folder: Path, found: Sequence[_Found], channel: Channel) -> list[str]:
    """A channel that no file can have, and that would be ignored."""
    headers = [item.header for item in found]
    names = {name.lower() for header in headers for name in header.channel_names}
    if not headers or channel in (None, 0, "mean", *names) or any(len(h.axes) > 2 for h in headers):
        return []
    return [
        f"{folder}: has no channel {channel!r}; {_count(headers, 'image')} with one channel, grey, so leave out "
        "--channel (0 and mean are the same there)"
    ]


def _type_name(header: Header) -> str:
    """`uint16`, or `12-bit` where the file uses a part of its type."""
    is_full = header.dtype.kind == "f" or header.bits == header.dtype.itemsize * 8
    return header.dtype.name if is_full else f"{header.bits}-bit"


def _mixed_scale(folder: Path, found: Sequence[_Found]) -> list[str]:
    known = [item.header for item in found if item.header.voxel_um is not None]
    unknown = [item.header for item in found if item.header.voxel_um is None]
    if not known or not unknown:
        return []
    return [
        f"{folder}: {_count(known, 'image')} with a pixel size and {_count(unknown, 'image')} without; lengths would "
        "be in um for some and in pixels for others, so give the pixel size for all (--voxel-um)"
    ]


def _same_names(paths: Sequence[Path]) -> list[str]:
    by_stem: dict[str, list[str]] = {}
    for path in paths:
        by_stem.setdefault(stem_of(path), []).append(path.name)
    return [
        f"{paths[0].parent}: {' and '.join(names)} would have the same name {stem!r}; rename or remove one"
        for stem, names in by_stem.items()
        if len(names) > 1
    ]


def _pair(
    labels: Path, images: Path, paths: Sequence[Path], only: Collection[str] | None, problems: list[str]
) -> dict[Path, Path]:
    """Find the image of every label file."""
    label_paths = find_image_files(labels, what="labels")
    if labels.is_file() and len(paths) == 1:
        return {paths[0]: labels}
    by_stem = {stem_of(path): path for path in paths}
    pairs: dict[Path, Path] = {}
    lost = []
    for label_path in label_paths:
        stem = stem_of(label_path)
        image = by_stem.get(stem) or by_stem.get(without_label_suffix(stem))
        if image is None:
            lost += [label_path] if only is None else []
        elif image in pairs:
            problems.append(
                f"{labels}: {pairs[image].name} and {label_path.name} both belong to {image.name}; keep one"
            )
        else:
            pairs[image] = label_path
    if lost and by_stem:
        free = [path for path in paths if path not in pairs]
        none = "no label file has the name of an image; " if not pairs else ""
        problems.append(
            f"{labels}: {none}labels without an image: {_listed(lost)}; images of {images} without labels: "
            f"{_listed(free)}. Names must be equal but for the extension and {', '.join(LABEL_SUFFIXES[:4])}"
        )
    return pairs


def _check_labels(found: Sequence[_Found], pairs: dict[Path, Path]) -> list[str]:
    problems = []
    for item in found:
        path = pairs.get(item.header.path)
        if path is None:
            continue
        try:
            header = read_header(path)
            check_memory(path, header.shape, header.dtype)
            check_label_header(header, item.header.shape_px, item.header.path)
        except InputError as error:
            problems.append(str(error))
    return problems


def _entry(item: _Found, labels: Path | None, scale: tuple[float, float] | None) -> Entry:
    header = item.header
    voxel_um = scale or (header.voxel_um[1:] if header.voxel_um else None)
    grid = Grid(
        shape_px=header.shape_px, voxel_um=voxel_um or (1.0, 1.0), is_scale_known=voxel_um is not None
    )
    bit_depth = _FLOAT_BITS if header.dtype.kind == "f" else header.bits
    return Entry(stem_of(header.path), header.path, labels, grid, bit_depth, item.channel)


def _log_channels(folder: Path, found: Sequence[_Found], channel: Channel) -> None:
    """Say once per channel what was taken without being asked for."""
    if channel is not None:
        return
    chosen: dict[int | str, list[Header]] = {}
    for item in found:
        if item.channel not in (None, EQUAL):
            chosen.setdefault(item.channel, []).append(item.header)
    for index, headers in chosen.items():
        _log.warning(
            "%s: of %s only channel %s carries signal; it is taken", folder, _count(headers, "image"), index
        )


def _log_lossy(folder: Path, lossy: Sequence[Header]) -> None:
    if lossy:
        _log.warning(
            "%s: %s compressed with loss, as JPEG does; noise and blur measured in them are those of the compression",
            folder,
            _count(lossy, "image"),
        )


def _parse_voxel(voxel_um: Sequence[float] | float | None) -> tuple[float, float] | None:
    if voxel_um is None:
        return None
    values = [voxel_um, voxel_um] if isinstance(voxel_um, int | float) else list(voxel_um)
    if len(values) != 2 or not all(np.isfinite(v) and v > 0 for v in values):
        shown = f"{voxel_um:g}" if isinstance(voxel_um, int | float) else list(voxel_um)
        raise RecipeError(
            f"--voxel-um is {shown}; give a positive number of micrometres, in Python also two (y, x)"
        )
    return float(values[0]), float(values[1])


def _count(headers: Sequence[Header], noun: str) -> str:
    plural = "" if len(headers) == 1 else "s"
    return f"{len(headers)} {noun}{plural} (such as {headers[0].path.name})"


def _listed(paths: Sequence[Path], n: int = 4) -> str:
    if not paths:
        return "none"
    more = f" and {len(paths) - n} more" if len(paths) > n else ""
    return ", ".join(path.name for path in paths[:n]) + more
