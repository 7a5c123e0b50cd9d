"""A picture of a sample of a dataset: slices, a projection and labels, for volumes of any size."""

from pathlib import Path

import numpy as np

from ..core.grid import Grid
from ..data.manifest import SampleRecord
from ..io.atomic import make_folder
from ..io.formats import kind_of, read_pixels
from ..io.ome_zarr import open_image, open_labels
from ..io.png import write_png

_SIDE_PX = 512
"""Longest side of a view."""

_GAP_PX = 8
_PROJECTED = 2**26
"""Voxels that are projected at most; of larger volumes a smaller level is."""


def write_preview(folder: Path, record: SampleRecord, path: Path) -> Path:
    """Write a picture of one sample of the dataset in `folder`.

    A view per channel and per label image, three in a row; in 3D a row for each, with a slice in the middle, a section
    across the middle from above to below, and the maximum along the depth. Grey runs between the 0.1 and 99.9
    percentiles.

    Raises
    ------
    InputError
        If the sample cannot be read.
    StorageError
        If the picture cannot be written.
    """
    grid = record.grid
    rows = [
        [_shown(view, scale) for view, scale in zip(views, _scales(grid, views), strict=True)]
        for views in _channel_views(folder / record.image.path, grid)
    ]
    rows = [_grey(row) for row in rows]
    for labels in (record.labels, *record.parts.values()):
        if labels is not None:
            views = _label_views(folder / labels.path, grid)
            rows.append(
                [_coloured(_shown(view, s)) for view, s in zip(views, _scales(grid, views), strict=True)]
            )
    if grid.ndim == 2:
        views = [view for row in rows for view in row]
        rows = [views[i : i + 3] for i in range(0, len(views), 3)]
    make_folder(path.parent)
    write_png(path, _sheet(rows))
    return path


def _channel_views(path: Path, grid: Grid) -> list[list[np.ndarray]]:
    """Of each channel: the plane, or slice, section and projection."""
    if kind_of(path) == "zarr":
        volume = open_image(path)
        n_channels = volume.shape[0] if volume.axes[0] == "C" else 1

        def part(c: int, *box: slice) -> np.ndarray:
            # An axis of one plane is left out of the volume.
            kept = [b for axis, b in zip("ZYX"[-grid.ndim :], box, strict=True) if axis in volume.axes]
            found = volume[(slice(c, c + 1), *kept) if volume.axes[0] == "C" else tuple(kept)]
            return found.reshape([len(range(*b.indices(n))) for b, n in zip(box, grid.shape_px, strict=True)])

        if grid.ndim == 2:
            return [[_thinned(part(c, slice(None), slice(None)))] for c in range(n_channels)]
        z, y = (slice(n // 2, n // 2 + 1) for n in grid.shape_px[:2])
        whole = slice(None)
        small = open_image(path / _level(path))
        projected = np.asarray(small[...]).reshape((n_channels, -1, *small.shape[-2:])).max(axis=1)
        return [
            [part(c, z, whole, whole)[0], part(c, whole, y, whole)[:, 0], projected[c]]
            for c in range(n_channels)
        ]
    pixels = read_pixels(path).reshape(-1, *grid.shape_px)
    if grid.ndim == 2:
        return [[plane] for plane in pixels]
    z, y = (n // 2 for n in grid.shape_px[:2])
    return [[volume[z], volume[:, y], volume.max(axis=0)] for volume in pixels]


def _label_views(path: Path, grid: Grid) -> list[np.ndarray]:
    """The plane, or slice and section."""
    volume = open_labels(path) if kind_of(path) == "zarr" else read_pixels(path).reshape(grid.shape_px)
    if grid.ndim == 2:
        return [np.asarray(volume[:, :])]
    z, y = (n // 2 for n in grid.shape_px[:2])
    if not isinstance(volume, np.ndarray):
        if len(volume.axes) == 2:  # one slice
            plane = np.asarray(volume[:, :])
            return [plane, plane[y : y + 1]]
        slices = volume[z : z + 1, :, :], volume[:, y : y + 1, :]
        return [slices[0].reshape(grid.shape_px[1:]), slices[1].reshape(grid.shape_px[0], grid.shape_px[2])]
    return [volume[z], volume[:, y]]


def _level(path: Path) -> str:
    """The largest level that is small enough to look at whole."""
    levels = sorted((p.name for p in path.iterdir() if p.name.isdecimal()), key=int)
    sizes = [int(np.prod(open_image(path / level).shape)) for level in levels]
    return next((level for level, n in zip(levels, sizes, strict=True) if n <= _PROJECTED), levels[-1])


def _thinned(plane: np.ndarray) -> np.ndarray:
    return plane[:: max(1, plane.shape[0] // 4096), :: max(1, plane.shape[1] // 4096)]


def _scales(grid: Grid, views: list[np.ndarray]) -> list[tuple[float, float]]:
    """Size in the picture of a pixel of each view, so that all show lengths alike."""
    sides = [(grid.extent_um[-2], grid.extent_um[-1])]
    if grid.ndim == 3:
        sides += [(grid.extent_um[0], grid.extent_um[-1]), sides[0]]
    per_um = _SIDE_PX / max(max(side) for side in sides)
    return [
        (h * per_um / view.shape[0], w * per_um / view.shape[1])
        for (h, w), view in zip(sides, views, strict=False)
    ]


def _shown(view: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    """The view at the size of the picture, each pixel the nearest of the view."""
    shape = [max(1, round(n * s)) for n, s in zip(view.shape, scale, strict=True)]
    rows, columns = (
        np.minimum(((np.arange(m) + 0.5) * n / m).astype(int), n - 1)
        for m, n in zip(shape, view.shape, strict=True)
    )
    return view[np.ix_(rows, columns)]


def _grey(views: list[np.ndarray]) -> list[np.ndarray]:
    """Views of one channel as RGB."""
    values = np.concatenate([view.ravel() for view in views]).astype(float)
    low, high = np.percentile(values, [0.1, 99.9])
    return [
        np.repeat(
            (np.clip((view - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2
        )
        for view in views
    ]


def _coloured(labels: np.ndarray) -> np.ndarray:
    """A colour for each label, by its number alone; black is background."""
    ids = labels.astype(np.uint64)
    hue = (ids * np.uint64(2654435761) % np.uint64(360)).astype(float) / 60
    light = 0.65 + 0.35 * (ids * np.uint64(40503) % np.uint64(97)).astype(float) / 97
    shares = [np.clip(np.abs((hue + shift) % 6 - 3) - 1, 0, 1) for shift in (0, 4, 2)]
    colour = np.stack([(0.25 + 0.75 * s) * light for s in shares], axis=-1)
    return (np.where(labels[..., None] > 0, colour, 0) * 255).astype(np.uint8)


def _sheet(rows: list[list[np.ndarray]]) -> np.ndarray:
    """Rows of views on white."""
    width = max(sum(view.shape[1] + _GAP_PX for view in row) for row in rows) + _GAP_PX
    heights = [max(view.shape[0] for view in row) for row in rows]
    sheet = np.full((sum(heights) + _GAP_PX * (len(rows) + 1), width, 3), 255, np.uint8)
    top = _GAP_PX
    for row, height in zip(rows, heights, strict=True):
        left = _GAP_PX
        for view in row:
            sheet[top : top + view.shape[0], left : left + view.shape[1]] = view
            left += view.shape[1] + _GAP_PX
        top += height + _GAP_PX
    return sheet
