"""Add spots to label images that exist."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from ..core.grid import Grid
    from ..core.scene import Scene
    from ..core.types import Labels


def add_spots(
    labels: Path | str,
    out: Path | str,
    overrides: Sequence[str] = (),
    *,
    images: Path | str | None = None,
    mode: Literal["saturate", "alpha"] = "saturate",
    alpha: float = 1.0,
    voxel_um: str | tuple[float, ...] | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Path:
    """Put fluorescent spots into cells of label images, or between them, and onto images.

    Writes OUT/labels_spots (labels of the spots), OUT/spots (their light), OUT/spots.csv (a row per spot: image,
    position and radius in pixels and um, intensity, cell), and with images OUT/images (the light over them).

    Parameters
    ----------
    labels
        Folder of label images or volumes (PNG, TIFF), one of them, or a dataset folder.
    out
        Folder to make; must not hold anything yet.
    overrides
        Which spots, as in a recipe: `number=12 radius_um=0.2 cluster.n_spots=8 cluster.spread_um=1 where=free`.
        Lengths are in um; where no file and no option says the size of a pixel, in pixels.
    images
        Images of the same names to put the light onto.
    mode
        `saturate` adds the light, at most to the largest value; `alpha` mixes.
    alpha
        Brightness of a spot of intensity 1 in full ranges of the image, per pixel that it fills.
    voxel_um
        Size of a voxel in um, one number or one per axis, `2,0.5,0.5` (zyx); by default what the files say.
    seed
        Of the random numbers.
    quiet
        Show no progress.
    """
    import numpy as np
    import pandas as pd

    from ..core.compositing import composite
    from ..core.errors import InputError
    from ..core.rng import Key
    from ..core.shapes import scene_from_labels
    from ..data.label_set import read_labels
    from ..data.pictures import read_pictures
    from ..io.atomic import make_folder, write_bytes
    from ..io.labels import write_labels
    from ..labels.parts.spots import Spots
    from ..recipe import parse_overrides
    from ..render._spots import spot_light
    from ._lengths import parse_voxel
    from ._progress import Progress
    from ._run_folder import made_whole, require_new
    from .composite import write_picture

    config = Spots.parse(_nested(parse_overrides(overrides)), source="spots")
    given = parse_voxel(voxel_um)
    found = read_labels(Path(labels))
    pictures = None
    if images is not None:
        pictures = read_pictures(Path(images))
        if found.is_one_file and len(pictures) == 1:
            found = found.renamed(pictures.names[0])
        if missing := [name for name in found.names if name not in pictures.headers]:
            raise InputError(
                f"{images}: has no image called {missing[0]!r}, which {labels} has labels of; names must be equal but "
                "for the extension and `_labels` or the like"
            )
    target = Path(out)
    require_new(target)
    progress = Progress(is_quiet=quiet)
    tables: list[pd.DataFrame] = []
    with made_whole(target) as folder:
        for name in progress.track(found.names, "spots", len(found)):
            ids = found.load(name)
            grid = _grid(ids, found.voxel_um.get(name), given)
            key = Key.from_seed(seed).child("image", name)
            spots = config.build(grid)(scene_from_labels(ids, grid, key), key.child("part", "spots"))
            scale = grid.voxel_um if grid.is_scale_known else None
            make_folder(folder / "labels_spots")
            write_labels(folder / "labels_spots" / f"{name}.tif", spots.draw(), voxel_um=scale, name=name)
            light = spot_light(spots.objects, grid, grid.box)
            dtype = np.dtype(np.uint16)
            if pictures is not None:
                below = pictures.load(name)
                dtype = below.dtype
                if below.shape[1:] != grid.shape_px:
                    raise InputError(
                        f"{pictures.headers[name].path}: is {below.shape[1:]} and its labels are {grid.shape_px}; "
                        "crop one"
                    )
                above = _as_pixels(alpha * light if mode == "saturate" else light, dtype)
                mixed = composite(below, above[None], mode, 1.0 if mode == "saturate" else alpha)
                make_folder(folder / "images")
                write_picture(folder / "images", name, mixed, scale)
            make_folder(folder / "spots")
            write_picture(folder / "spots", name, _as_pixels(alpha * light, dtype)[None], scale)
            tables.append(_rows(name, spots, grid))
        table = pd.concat(tables, ignore_index=True)
        text = table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_bytes(folder / "spots.csv", text.encode())
    return target


def _nested(values: dict[str, Any]) -> dict[str, Any]:
    """`{cluster.n_spots: 3}` as `{cluster: {n_spots: 3}}`, with the kind; `density` asks for no number."""
    given: dict[str, Any] = {"kind": "spots"}
    for path, value in values.items():
        *parents, last = path.split(".")
        node = given
        for parent in parents:
            node = node.setdefault(parent, {})
        node[last] = value
    if "density" in given:
        given = {"number": None, **given}
    return given


def _grid(ids: "Labels", own: tuple[float, ...] | None, given: tuple[float, ...] | None) -> "Grid":
    from ..core.grid import Grid
    from ._lengths import per_axis

    if given is not None:
        own = per_axis("--voxel-um", given, ids.ndim, of="the labels have")
    return Grid(shape_px=ids.shape, voxel_um=own or (1.0,) * ids.ndim, is_scale_known=own is not None)


def _as_pixels(light: "np.ndarray", dtype: "np.dtype") -> "np.ndarray":
    """Light as a share of the full range."""
    import numpy as np

    if dtype.kind == "f":
        return np.clip(light, 0, 1).astype(dtype)
    return np.rint(np.clip(light, 0, 1) * np.iinfo(dtype).max).astype(dtype)


def _rows(name: str, spots: "Scene", grid: "Grid") -> "pd.DataFrame":
    """A row per spot; lengths in um only where the scale is known."""
    import numpy as np
    import pandas as pd

    objects, axes = spots.objects, "zyx"[-grid.ndim :]
    radius = objects.semi_axes_um[:, 0]
    columns: dict[str, Any] = {"image": [name] * len(objects), "label": range(1, len(objects) + 1)}
    columns |= {f"{a}_px": objects.centre_um[:, i] / grid.voxel_um[i] - 0.5 for i, a in enumerate(axes)}
    columns["radius_px"] = radius / np.prod(grid.voxel_um) ** (1 / grid.ndim)
    if grid.is_scale_known:
        columns |= {f"{a}_um": objects.centre_um[:, i] for i, a in enumerate(axes)}
        columns["radius_um"] = radius
    columns["intensity"] = objects.intensity
    columns["cell_id"] = objects.parent
    return pd.DataFrame(columns)
