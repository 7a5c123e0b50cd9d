"""Pictures of what was taken out of images: prototypes on one sheet, a mask over its image."""

import numpy as np
from jaxtyping import UInt8

from ..core.shapes import PrototypeBank
from ..core.types import Mask

_TILE_PX = 64
_MOST = 100
"""Prototypes on a sheet; of more, so many evenly through the bank."""

_GAP_PX = 4
_OUTSIDE = 0.3
"""Brightness of what lies around a cell."""

_LINE = np.array([255, 90, 60], np.uint8)
_SIDE_PX = 512


def contact_sheet(bank: PrototypeBank) -> UInt8[np.ndarray, "y x"]:
    """Prototypes side by side, at one scale; in 3D the slice through the middle of each.

    The mean of a cell is a middle grey. What is around a cell is dimmed; the largest of them may be cut.
    """
    shown = np.unique(np.linspace(0, len(bank) - 1, min(len(bank), _MOST)).astype(int))
    planes = [(_slice(bank, i), bank.voxel_um[i][-2:]) for i in shown]
    sides = [float((np.array(plane.shape) * sizes).max()) for plane, sizes in planes]
    per_px = float(np.percentile(sides, 95)) / _TILE_PX
    tiles = [_tile(plane, sizes, per_px) for plane, sizes in planes]
    n_columns = int(np.ceil(np.sqrt(len(tiles))))
    n_rows = -(-len(tiles) // n_columns)
    step = _TILE_PX + _GAP_PX
    sheet = np.full((n_rows * step + _GAP_PX, n_columns * step + _GAP_PX), 40, np.uint8)
    for i, tile in enumerate(tiles):
        top, left = (_GAP_PX + k * step for k in divmod(i, n_columns))
        sheet[top : top + _TILE_PX, left : left + _TILE_PX] = tile
    return sheet


def _slice(bank: PrototypeBank, i: int) -> np.ndarray:
    """Grey values of a prototype, what is outside dimmed."""
    shade = bank.textures[i] * np.where(bank.masks[i], 1, _OUTSIDE)
    if bank.ndim == 2:
        return shade
    area = np.count_nonzero(bank.masks[i], axis=(1, 2))
    return shade[int(np.searchsorted(np.cumsum(area), area.sum() / 2))]


def _tile(plane: np.ndarray, voxel_um: np.ndarray, per_px: float) -> UInt8[np.ndarray, "y x"]:
    """The plane in the middle of a tile, each pixel the nearest of the plane."""
    tile = np.zeros((_TILE_PX, _TILE_PX), np.uint8)
    place = np.arange(_TILE_PX) + 0.5 - _TILE_PX / 2
    rows, columns = (
        np.floor(place * per_px / v + n / 2).astype(int) for n, v in zip(plane.shape, voxel_um, strict=True)
    )
    inside = [(k >= 0) & (k < n) for k, n in zip((rows, columns), plane.shape, strict=True)]
    grey = np.clip(plane * 127.5, 0, 255).astype(np.uint8)
    tile[np.ix_(*inside)] = grey[np.ix_(rows[inside[0]], columns[inside[1]])]
    return tile


def mask_over_image(
    image: np.ndarray, mask: Mask, voxel_um: tuple[float, ...]
) -> UInt8[np.ndarray, "y x rgb"]:
    """The outline of a mask over its image; in 3D a slice in the middle, and a section from above to below beside it.

    Grey runs from the 0.5 to the 99.5 percentile of the image.
    """
    cuts = [(image, mask, voxel_um)]
    if image.ndim == 3:
        z, y = (int(np.argmax(mask.sum(axis=axes))) for axes in ((1, 2), (0, 2)))
        cuts = [
            (image[z], mask[z], voxel_um[1:]),
            (image[:, y], mask[:, y], (voxel_um[0], voxel_um[2])),
        ]
    low, high = np.percentile(image, [0.5, 99.5])
    per_px = (
        max(n * v for plane, _, sizes in cuts for n, v in zip(plane.shape, sizes, strict=True)) / _SIDE_PX
    )
    views = [_outlined(plane, cut, sizes, per_px, (float(low), float(high))) for plane, cut, sizes in cuts]
    sheet = np.full(
        (max(v.shape[0] for v in views), sum(v.shape[1] + _GAP_PX for v in views) - _GAP_PX, 3), 255, np.uint8
    )
    left = 0
    for view in views:
        sheet[: view.shape[0], left : left + view.shape[1]] = view
        left += view.shape[1] + _GAP_PX
    return sheet


def _outlined(
    plane: np.ndarray, mask: Mask, voxel_um: tuple[float, ...], per_px: float, limits: tuple[float, float]
) -> UInt8[np.ndarray, "y x rgb"]:
    index = np.ix_(
        *(
            np.minimum(((np.arange(max(round(n * v / per_px), 1)) + 0.5) * per_px / v).astype(int), n - 1)
            for n, v in zip(plane.shape, voxel_um, strict=True)
        )
    )
    low, high = limits
    grey = np.clip((plane[index].astype(np.float32) - low) / max(high - low, 1e-9), 0, 1) ** 0.7
    view = np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=2)
    inside = mask[index]
    inner = np.pad(inside, 1, mode="edge")
    edge = inside & ~(inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:])
    view[edge] = _LINE
    return view
