"""Cut prototypes out of labelled images."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from ..data.grey_images import GreyImages
    from ..data.label_set import LabelSet


def cut_prototypes(
    images: Path | str,
    labels: Path | str,
    out: Path | str,
    *,
    min_voxels: int = 50,
    channel: str | None = None,
    voxel_um: str | tuple[float, ...] | None = None,
    dark: bool = False,
    quiet: bool = False,
) -> Path:
    """Cut whole cells out of labelled images, as prototypes that synthetic scenes show.

    Cells that the border of an image cuts are left out. Beside OUT comes a picture of what was found (of up to 100
    cells), with the same name and the extension .png.

    Parameters
    ----------
    images
        Folder of images or volumes (PNG, TIFF, OME-Zarr), one of these, or a dataset folder.
    labels
        The same for their labels; the names must be those of the images, or those with `_labels`, `_mask` or the like
        behind. Images may be without labels.
    out
        File to write, .npz.
    min_voxels
        Leave out cells of fewer pixels or voxels.
    channel
        Channel of colour images: red, green, blue, mean, or a number from 0.
    voxel_um
        Size of a pixel in micrometres, one number or one per axis: `0.5` or `2,0.5,0.5`. By default what the files say;
        without it lengths are in pixels.
    dark
        Cells are darker than their surroundings.
    quiet
        Show no progress.
    """
    import numpy as np

    from ..core.errors import InputError, RecipeError
    from ..data.grey_images import read_grey_images
    from ..data.label_set import read_labels
    from ..extract.prototypes import PrototypeHarvest
    from ..io.atomic import make_folder
    from ..io.png import write_png
    from ..io.prototypes import write_prototypes
    from ..report.cutouts import contact_sheet
    from ._lengths import parse_voxel
    from ._new_file import new_file
    from ._progress import Progress

    if min_voxels < 1:
        raise RecipeError(f"--min-voxels is {min_voxels}; at least 1")
    given = parse_voxel(voxel_um)
    path = new_file(Path(out), (".npz",))
    picture = new_file(path.with_suffix(".png"), (".png",))
    found = read_grey_images(Path(images), channel=channel)
    truth = read_labels(Path(labels), side="reference")
    names = _pair(found, truth)
    harvest = PrototypeHarvest(min_voxels)
    scales = _scales(found, truth, names, given)
    progress = Progress(is_quiet=quiet)
    for name, own in progress.track(names.items(), "prototypes", len(names)):
        image = found.load(name).astype(np.float32)
        cells = truth.load(own, may_be_mask=False, keeps_ids=True)
        if image.min() == image.max():
            raise InputError(
                f"{found.headers[name].path}: every voxel has the same value ({image.flat[0]:g}); there is nothing to "
                "see in it, so take it out of the folder or check how it was exported"
            )
        if image.shape != cells.shape:
            raise InputError(
                f"{truth.files[own]}: labels are {cells.shape} and the image {found.headers[name].path.name} is "
                f"{image.shape}; crop one or check that they belong together"
            )
        try:
            harvest.add(-image if dark else image, cells, scales[name])
        except InputError as error:
            raise InputError(f"{truth.files[own]}: {error}") from error
    try:
        bank = harvest.bank
    except InputError as error:
        raise InputError(f"{labels}: {error}") from error
    make_folder(path.parent)
    write_prototypes(path, bank)
    write_png(picture, contact_sheet(bank))
    _tell(harvest.n_flat, len(bank), dark)
    progress.say(f"{harvest.account}; {_sizes(bank.tables.axes, bank.ndim)}")
    progress.say(f"prototypes: {path}, with a picture: {picture}")
    return path


def _pair(images: "GreyImages", labels: "LabelSet") -> dict[str, str]:
    """Name of each image that has labels, to that of its labels."""
    from ..core.errors import InputError

    if len(images) == 1 and labels.is_one_file:
        return {images.names[0]: labels.names[0]}
    lost = [name for name in labels.names if name not in images.headers]
    if lost:
        more = f" and {len(lost) - 4} more" if len(lost) > 4 else ""
        raise InputError(
            f"{labels.source}: labels without an image: {', '.join(lost[:4])}{more}; {images.source} holds "
            f"{', '.join(images.names[:4])}. Names must be equal but for the extension and `_labels`, `_mask` or the "
            "like"
        )
    return {name: name for name in images.names if name in labels.files}


def _scales(
    images: "GreyImages", labels: "LabelSet", names: dict[str, str], given: tuple[float, ...] | None
) -> dict[str, tuple[float, ...]]:
    """Size of a voxel of each image: what was given, what the files say, else 1 with a warning."""
    import logging

    from ..core.errors import InputError
    from ._lengths import per_axis

    ndims = {name: len(images.headers[name].shape_px) for name in names}
    if given is not None:
        return {name: per_axis("--voxel-um", given, ndim) for name, ndim in ndims.items()}
    known = {name: images.voxel_um.get(name) or labels.voxel_um.get(own) for name, own in names.items()}
    scales = {name: size for name, size in known.items() if size is not None}
    if scales and len(scales) < len(names):
        without = next(name for name in names if name not in scales)
        raise InputError(
            f"{images.source}: some images have a pixel size and others, such as {without}, have none; give it for "
            "all: --voxel-um"
        )
    if not scales:
        logging.getLogger(__name__).warning(
            "%s: no file says the size of a pixel, so prototypes have 1 um per pixel; give it with --voxel-um, or "
            "their own sizes mean nothing",
            images.source,
        )
    return scales or {name: (1.0,) * ndim for name, ndim in ndims.items()}


def _tell(n_flat: int, n: int, is_dark: bool) -> None:
    import logging

    if n_flat:
        logging.getLogger(__name__).warning(
            "%d of %d cells are not %s than the background and have no texture, only a shape%s",
            n_flat,
            n,
            "darker" if is_dark else "brighter",
            "" if is_dark else "; if cells are dark here, say --dark",
        )


def _sizes(axes: "np.ndarray", ndim: int) -> str:
    import numpy as np

    diameter = 2 * np.prod(axes[:, 3 - ndim :], axis=1) ** (1 / ndim)
    low, middle, high = np.percentile(diameter, [5, 50, 95])
    return f"diameters {middle:.3g} um ({low:.3g} to {high:.3g})"
