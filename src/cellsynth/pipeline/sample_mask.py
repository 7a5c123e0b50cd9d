"""Find the mask of a sample in a picture of it."""

from pathlib import Path
from typing import Literal

_WHOLE = 0.99
"""Share of the image from which on a mask says nothing."""


def extract_mask(
    image: Path | str,
    out: Path | str,
    *,
    smoothing_um: str | tuple[float, ...] | None = None,
    opening_um: str | tuple[float, ...] | None = None,
    closing_um: str | tuple[float, ...] | None = None,
    method: Literal["mean", "otsu", "minimum_cross_entropy"] = "mean",
    keep_holes: bool = False,
    channel: str | None = None,
    voxel_um: str | tuple[float, ...] | None = None,
    dark: bool = False,
    quiet: bool = False,
) -> Path:
    """Find the mask of a spheroid or another sample in a stack or a picture of it.

    Smooth, threshold, remove what is thin (opening), fill gaps (closing), keep the largest part, fill its holes. The
    mask is a region of recipes: `labels: {region: {kind: mask, path: OUT}}`. Beside OUT comes a picture of the outline
    over the image, with the same name and the extension .png.

    Parameters
    ----------
    image
        Image or volume (PNG, TIFF, OME-Zarr that fits into memory).
    out
        TIFF to write, 255 inside and 0 outside, with the size of a voxel.
    smoothing_um
        Sigma of the Gaussian filter in micrometres, one number or one per axis; 0 for none. By default what was
        published: 5 pixels of 0.488759 um, or 5 pixels where their size is not known.
    opening_um
        Radius of the ball of the opening, or its semi-axes. By default 2 such pixels.
    closing_um
        Radius of the ball of the closing, or its semi-axes: gaps of up to twice this are filled. By default 25 such
        pixels.
    method
        Threshold of the smoothed image.
    keep_holes
        Leave holes, such as lumens and necrotic cores, as far as the closing does.
    channel
        Channel of colour images: red, green, blue, mean, or a number from 0.
    voxel_um
        Size of a pixel in micrometres, one number or one per axis: `0.5` or `2,0.5,0.5`. By default what the files say;
        without it lengths are in pixels.
    dark
        The sample is darker than its surroundings.
    quiet
        Show no progress.
    """
    import logging

    import numpy as np

    from ..core.errors import InputError
    from ..data.grey_images import read_grey_images
    from ..extract.sample_mask import extract_sample_mask
    from ..io.atomic import make_folder
    from ..io.png import write_png
    from ..io.tiff import write_tiff
    from ..report.cutouts import mask_over_image
    from ._lengths import parse_lengths, parse_voxel, per_axis
    from ._new_file import new_file
    from ._progress import Progress

    given = parse_voxel(voxel_um)
    asked = {
        "--smoothing-um": parse_lengths("--smoothing-um", smoothing_um),
        "--opening-um": parse_lengths("--opening-um", opening_um),
        "--closing-um": parse_lengths("--closing-um", closing_um),
    }
    path = new_file(Path(out), (".tif", ".tiff"))
    picture = new_file(path.with_suffix(".png"), (".png",))
    found = read_grey_images(Path(image), channel=channel)
    if len(found) != 1:
        raise InputError(
            f"{image}: holds {len(found)} images; give one of them, as every sample has its own mask"
        )
    name = found.names[0]
    pixels = found.load(name)
    grey = pixels.astype(np.float32)
    known = found.voxel_um.get(name) if given is None else per_axis("--voxel-um", given, grey.ndim)
    if known is None:
        logging.getLogger(__name__).warning(
            "%s: does not say the size of a pixel, so lengths are in pixels, alike along all axes; give it with "
            "--voxel-um",
            found.headers[name].path,
        )
    lengths = _lengths(asked, grey.ndim, is_scale_known=known is not None)
    voxel = known or (1.0,) * grey.ndim
    try:
        result = extract_sample_mask(
            grey,
            voxel,
            smoothing_um=lengths["--smoothing-um"],
            opening_um=lengths["--opening-um"],
            closing_um=lengths["--closing-um"],
            method=method,
            keeps_holes=keep_holes,
            is_dark=dark,
        )
    except InputError as error:
        raise InputError(f"{found.headers[name].path}: {error}") from error
    if result.mask.mean() > _WHOLE:
        logging.getLogger(__name__).warning(
            "%s: the mask is the whole image or nearly so; if that is not the sample, ask for less --closing-um or "
            "another --method",
            found.headers[name].path,
        )
    make_folder(path.parent)
    write_tiff(
        path, np.where(result.mask, np.uint8(255), np.uint8(0)), axes="ZYX"[-grey.ndim :], voxel_um=known
    )
    write_png(picture, mask_over_image(pixels, result.mask, voxel))
    progress = Progress(is_quiet=quiet)
    size = result.mask.sum() * float(np.prod(voxel))
    unit = ("um" if known else "px") + {2: "2", 3: "3"}[grey.ndim]
    progress.say(
        f"{result.mask.mean():.1%} of the image, {size:.4g} {unit}; "
        f"{'below' if dark else 'above'} {result.level:.4g} ({method})"
    )
    if result.n_parts > 1:
        progress.say(
            f"the largest of {result.n_parts} parts; the others, {result.share_left_out:.1%} of the foreground, are "
            "left out, and more --closing-um would join them"
        )
    progress.say(f"mask: {path}, with a picture: {picture}")
    return path


def _lengths(
    asked: dict[str, tuple[float, ...] | None], ndim: int, *, is_scale_known: bool
) -> dict[str, tuple[float, ...]]:
    """What was asked for, or what was published, per axis."""
    from ..extract.sample_mask import CLOSING_PX, OPENING_PX, PUBLISHED_PX_UM, SMOOTHING_PX
    from ._lengths import per_axis

    unit = PUBLISHED_PX_UM if is_scale_known else 1.0
    published = {
        "--smoothing-um": SMOOTHING_PX,
        "--opening-um": OPENING_PX,
        "--closing-um": CLOSING_PX,
    }
    return {
        option: per_axis(option, (published[option] * unit,) if lengths is None else lengths, ndim)
        for option, lengths in asked.items()
    }
