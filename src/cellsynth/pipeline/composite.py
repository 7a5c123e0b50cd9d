"""Put the images of one folder over those of another."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np


def composite_images(
    below: Path | str,
    above: Path | str,
    out: Path | str,
    *,
    mode: Literal["saturate", "alpha"] = "saturate",
    alpha: float | None = None,
    quiet: bool = False,
) -> Path:
    """Put images over others of the same names: added until the sensor is full, or mixed.

    Sizes and types must be equal; a grey image goes over each channel of a coloured one. The result is written under
    the same names, 8-bit planes as PNG and all else as TIFF.

    Parameters
    ----------
    below
        Folder of images (PNG, TIFF), a dataset folder, or one of them.
    above
        The same number of images under the same names.
    out
        Folder to make; must not hold anything yet. `composite.json` in it says what was done.
    mode
        `saturate`: below + alpha * above, at most the largest value of the type, or of the camera of a dataset;
        `alpha`: (1 - alpha) * below + alpha * above.
    alpha
        How much the upper image counts; by default 1 where images are added and 0.5 where they are mixed.
    quiet
        Show no progress.
    """
    from .. import __version__
    from ..core.compositing import composite
    from ..core.errors import InputError
    from ..data.image_set import sha256_of
    from ..data.pictures import pair_pictures, read_pictures
    from ..io.tables import write_json
    from ._progress import Progress
    from ._run_folder import made_whole, require_new

    share = share_of(mode, alpha)
    lower = read_pictures(Path(below))
    upper = read_pictures(Path(above)).as_partner_of(lower)
    names = pair_pictures(upper, lower)
    target = Path(out)
    require_new(target)
    progress = Progress(is_quiet=quiet)
    with made_whole(target) as folder:
        for name in progress.track(names, "composite", len(names)):
            header = lower.headers[name]
            try:
                mixed = composite(lower.load(name), upper.load(name), mode, share, lower.largest)
            except (TypeError, ValueError) as error:
                raise InputError(f"{header.path} and {upper.headers[name].path}: {error}") from error
            write_picture(folder, name, mixed, header.voxel_um)
        files = {
            f"{side}/{n}": p.headers[n].path
            for side, p in (("below", lower), ("above", upper))
            for n in names
        }
        record = {
            "cellsynth_version": __version__,
            "settings": {"mode": mode, "alpha": share},
            "inputs": {name: sha256_of(path) for name, path in files.items() if path.is_file()},
        }
        write_json(folder / "composite.json", record)
    return target


def share_of(mode: Literal["saturate", "alpha"], alpha: float | None) -> float:
    """How much the upper image counts.

    Raises
    ------
    RecipeError
        If it is out of range.
    """
    from ..core.errors import RecipeError

    if alpha is None:
        return 1.0 if mode == "saturate" else 0.5
    if not 0 <= alpha < float("inf") or (mode == "alpha" and alpha > 1):
        raise RecipeError(f"--alpha is {alpha:g}; it is from 0 to 1 for --mode alpha, and not negative")
    return alpha


def write_picture(folder: Path, name: str, pixels: "np.ndarray", voxel_um: tuple[float, ...] | None) -> Path:
    """Write (C, Y, X) or (C, Z, Y, X): 8-bit planes as PNG, all else as TIFF."""
    import numpy as np

    from ..io.png import write_png
    from ..io.tiff import write_tiff

    spatial = pixels.ndim - 1
    scale = None if voxel_um is None else tuple(voxel_um[-spatial:])
    if spatial == 2 and pixels.dtype == np.uint8 and len(pixels) in (1, 3):
        path = folder / f"{name}.png"
        write_png(path, pixels[0] if len(pixels) == 1 else np.moveaxis(pixels, 0, -1), scale)
        return path
    path = folder / f"{name}.tif"
    one = len(pixels) == 1
    axes = "ZYX"[-spatial:]
    write_tiff(
        path, pixels[0] if one else pixels, axes=axes if one else f"C{axes}", voxel_um=scale, name=name
    )
    return path
