"""Add spots to label images that exist."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..core.grid import Grid
    from ..core.rng import Key
    from ..core.scene import Scene
    from ..core.types import Labels
    from ..data.label_set import LabelSet
    from ..data.pictures import Pictures
    from ..labels.parts.spots import Spots

Colour = Literal["white", "red", "green", "blue", "yellow", "magenta", "cyan"]

_RED_GREEN_BLUE = {
    "red": (1, 0, 0),
    "green": (0, 1, 0),
    "blue": (0, 0, 1),
    "yellow": (1, 1, 0),
    "magenta": (1, 0, 1),
    "cyan": (0, 1, 1),
}


@dataclass(frozen=True)
class Look:
    """How spots are shown, and put onto images; the options of the command."""

    mode: Literal["saturate", "alpha"]
    alpha: float
    colour: Colour
    brightness: float
    blur_um: float


def add_spots(
    labels: Path | str,
    out: Path | str,
    overrides: Sequence[str] = (),
    *,
    images: Path | str | None = None,
    mode: Literal["saturate", "alpha"] = "saturate",
    alpha: float | None = None,
    colour: Colour = "white",
    brightness: float = 0.5,
    blur_um: float = 0.0,
    voxel_um: str | tuple[float, ...] | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Path:
    """Put fluorescent spots into cells of label images, or between them, and onto images.

    Writes OUT/labels_spots (labels of the spots), OUT/spots (their light), OUT/spots.csv (a row per spot: image,
    position and radius in pixels and um, intensity, id of its cell in LABELS, 0 for none), OUT/spots.json (what was
    done), and with images OUT/images (the light over them). The centre of the first pixel is at 0 in the table, as for
    evaluate-points.

    Parameters
    ----------
    labels
        Folder of label images or volumes (PNG, TIFF), one of them, or a dataset folder. A mask is one cell.
    out
        Folder to make; must not hold anything yet.
    overrides
        Which spots, as in a recipe: `number=12 radius_um=0.2 cluster.n_spots=8 cluster.spread_um=1 where=free`.
        Lengths are in um; where no file and no option says the size of a pixel, in pixels.
    images
        Images of the same names to put the light onto.
    mode
        `saturate` adds the light, at most to the largest value of the type, or of the camera of a dataset; `alpha`
        mixes.
    alpha
        How much the light counts; by default 1 where it is added and 0.5 where it is mixed.
    colour
        Of the light on images; another than white makes grey images coloured.
    brightness
        Of a spot of intensity 1 in full ranges of the image, per pixel that it fills; the middle of a spot larger than
        a pixel is twice as bright.
    blur_um
        Standard deviation of a Gaussian that blurs the light, as a microscope does.
    voxel_um
        Size of a pixel in micrometres, one number or one per axis: `0.5` or `2,0.5,0.5`. By default what the files say;
        without it lengths are in pixels.
    seed
        Root of all random numbers.
    quiet
        Show no progress.
    """
    import pandas as pd

    from .. import __version__
    from ..core.rng import Key
    from ..data.label_set import read_labels
    from ..io.atomic import make_folder, write_bytes
    from ..io.tables import write_json
    from ._lengths import parse_voxel
    from ._progress import Progress
    from ._run_folder import made_whole, require_new
    from .composite import share_of

    look = _checked(Look(mode, share_of(mode, alpha), colour, brightness, blur_um))
    config, given = _config(overrides), parse_voxel(voxel_um)
    found = read_labels(Path(labels))
    found, pictures = _paired(found, images)
    target = Path(out)
    require_new(target)
    progress = Progress(is_quiet=quiet)
    tables: list[pd.DataFrame] = []
    is_told = False
    with made_whole(target) as folder:
        for part in ("labels_spots", "spots", *(() if pictures is None else ("images",))):
            make_folder(folder / part)
        for name in progress.track(found.names, "spots", len(found)):
            ids = found.load(name, may_be_grey=False, keeps_ids=True)
            grid = _grid(ids, found.voxel_um.get(name), given)
            is_told = is_told or (not grid.is_scale_known and _tell_of_pixels(found.files[name]))
            spots, cells = _spots_in(ids, grid, config, Key.from_seed(seed).child("image", name))
            _write(folder, name, spots, pictures, look)
            tables.append(_rows(name, spots, cells))
        table = pd.concat(tables, ignore_index=True)
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_bytes(folder / "spots.csv", text.encode())
        record = {
            "cellsynth_version": __version__,
            "settings": {"spots": config.to_dict(), "seed": seed, "voxel_um": given, **asdict(look)},
            "inputs": _hashes(found, pictures),
        }
        write_json(folder / "spots.json", record)
    return target


def _checked(look: Look) -> Look:
    from ..core.errors import RecipeError

    if not 0 < look.brightness < float("inf"):
        raise RecipeError(f"--brightness is {look.brightness:g}; it is in full ranges of the image, above 0")
    if not 0 <= look.blur_um < float("inf"):
        raise RecipeError(f"--blur-um is {look.blur_um:g}; it is a length, 0 or more")
    return look


def _config(overrides: Sequence[str]) -> "Spots":
    from ..core.config import with_overrides
    from ..labels.parts.spots import Spots
    from ..recipe import parse_overrides

    return Spots.parse(with_overrides({}, parse_overrides(overrides)), source="spots")


def _paired(labels: "LabelSet", images: Path | str | None) -> "tuple[LabelSet, Pictures | None]":
    """Labels under the names of their images; more images than labels are fine."""
    from ..core.errors import InputError
    from ..data.pictures import read_pictures

    if images is None:
        return labels, None
    pictures = read_pictures(Path(images))
    if labels.is_one_file and len(pictures) == 1:
        labels = labels.renamed(pictures.names[0])
    if missing := [name for name in labels.names if name not in pictures.headers]:
        raise InputError(
            f"{images}: has no image called {missing[0]!r}, which {labels.source} has labels of; names must be equal "
            "but for the extension and `_labels` or the like"
        )
    return labels, pictures


def _hashes(labels: "LabelSet", pictures: "Pictures | None") -> dict[str, str]:
    from ..data.image_set import sha256_of

    files = {f"labels/{name}": path for name, path in labels.files.items()}
    if pictures is not None:
        files |= {f"images/{name}": pictures.headers[name].path for name in labels.names}
    return {name: sha256_of(path) for name, path in files.items() if path.is_file()}


def _grid(ids: "Labels", own: tuple[float, ...] | None, given: tuple[float, ...] | None) -> "Grid":
    from ..core.grid import Grid
    from ._lengths import per_axis

    if given is not None:
        own = per_axis("--voxel-um", given, ids.ndim, of="the labels have")
    return Grid(shape_px=ids.shape, voxel_um=own or (1.0,) * ids.ndim, is_scale_known=own is not None)


def _tell_of_pixels(file: Path) -> bool:
    import logging

    logging.getLogger(__name__).warning(
        "%s: does not say the size of a pixel, so lengths such as radius_um are in pixels, alike along all axes; give "
        "it with --voxel-um",
        file,
    )
    return True


def _spots_in(ids: "Labels", grid: "Grid", config: "Spots", key: "Key") -> "tuple[Scene, np.ndarray]":
    """Spots, and the ids of the cells by the label that they have in the scene; 0 for label 0."""
    import numpy as np

    from ..core.shapes import scene_from_labels

    cells = np.unique(ids)
    cells = np.concatenate([[0], cells[cells > 0]]).astype(np.int64)
    scene = scene_from_labels(np.searchsorted(cells, ids).astype(np.int32), grid, key)
    # By the ids of the file, so that a cell has the same spots when another one is taken away.
    keys = np.array([key.child("cell", i).uint64() for i in cells[1:].tolist()], np.uint64)
    scene = replace(scene, objects=replace(scene.objects, key=keys))
    return config.build(grid)(scene, key.child("part", "spots")), cells


def _write(folder: Path, name: str, spots: "Scene", pictures: "Pictures | None", look: Look) -> None:
    """Labels and light of the spots of one image, and the light over it."""
    import numpy as np

    from ..core.compositing import composite
    from ..io.labels import write_labels
    from ..render._spots import spot_light
    from .composite import write_picture

    grid = spots.grid
    scale = grid.voxel_um if grid.is_scale_known else None
    write_labels(folder / "labels_spots" / f"{name}.tif", spots.draw(), voxel_um=scale, name=name)
    below = None if pictures is None else _load(pictures, name, grid)
    dtype = np.dtype(np.uint16) if below is None else below.dtype
    largest = None if pictures is None else pictures.largest
    light = look.brightness * spot_light(spots.objects, grid, grid.box, look.blur_um)
    pixels = _as_pixels(light, dtype, largest)[None]
    write_picture(folder / "spots", name, pixels, scale)
    if below is not None:
        if look.colour != "white":
            _require_colours(pictures, name, len(below))
            weights = np.array(_RED_GREEN_BLUE[look.colour], dtype)
            pixels = pixels * weights.reshape(3, *(1,) * grid.ndim)
        if len(below) == 1:
            below = np.repeat(below, len(pixels), axis=0)
        mixed = composite(below, pixels, look.mode, look.alpha, largest)
        write_picture(folder / "images", name, mixed, scale)


def _load(pictures: "Pictures", name: str, grid: "Grid") -> "np.ndarray":
    from ..core.errors import InputError

    pixels, path = pictures.load(name), pictures.headers[name].path
    if pixels.shape[1:] != grid.shape_px:
        raise InputError(f"{path}: is {pixels.shape[1:]} and its labels are {grid.shape_px}; crop one")
    if pixels.dtype.kind not in "uf":
        raise InputError(
            f"{path}: values are {pixels.dtype}; 8 and 16 bit and floating point in 0 to 1 are accepted"
        )
    return pixels


def _require_colours(pictures: "Pictures | None", name: str, n_channels: int) -> None:
    from ..core.errors import InputError

    if n_channels not in (1, 3):
        assert pictures is not None
        raise InputError(
            f"{pictures.headers[name].path}: has {n_channels} channels, and --colour is for grey images and RGB; leave "
            "it out, and the light goes over each channel"
        )


def _as_pixels(light: "np.ndarray", dtype: "np.dtype", largest: int | None) -> "np.ndarray":
    """Light as a share of the full range."""
    import numpy as np

    if dtype.kind == "f":
        return np.clip(light, 0, 1).astype(dtype)
    top = np.iinfo(dtype).max if largest is None else largest
    return np.rint(np.clip(light, 0, 1).astype(np.float64) * top).astype(dtype)


def _rows(name: str, spots: "Scene", cells: "np.ndarray") -> "pd.DataFrame":
    """A row per spot; lengths in um only where the scale is known."""
    import numpy as np
    import pandas as pd

    grid, objects = spots.grid, spots.objects
    axes, radius = "zyx"[-grid.ndim :], objects.semi_axes_um[:, 0]
    place_px = objects.centre_um / grid.voxel_um - 0.5
    columns: dict[str, Any] = {"image": [name] * len(objects), "label": range(1, len(objects) + 1)}
    columns |= {f"{a}_px": place_px[:, i] for i, a in enumerate(axes)}
    columns["radius_px"] = radius / np.prod(grid.voxel_um) ** (1 / grid.ndim)
    if grid.is_scale_known:
        columns |= {f"{a}_um": place_px[:, i] * grid.voxel_um[i] for i, a in enumerate(axes)}
        columns["radius_um"] = radius
    assert objects.parent is not None
    columns["intensity"] = objects.intensity
    columns["cell_id"] = cells[objects.parent]
    return pd.DataFrame(columns)
