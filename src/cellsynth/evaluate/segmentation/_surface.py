"""Distances between the outlines of two masks."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import distance_transform_edt, find_objects

from ...core.types import Labels, Mask
from ._overlap import Overlap

Box = tuple[slice, ...]


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """From each voxel of one outline to the nearest of the other; infinite where the other side has no outline."""

    reference: Float64[np.ndarray, " r"]
    """Of every voxel of the outline of the reference, in um."""

    prediction: Float64[np.ndarray, " p"]
    """Of every voxel of the outline of the prediction, in um."""

    @property
    def is_complete(self) -> bool:
        """Whether both sides have an outline."""
        return bool(len(self.reference) and len(self.prediction))


def outline_of(mask: Mask) -> Mask:
    """Voxels of the mask with a face neighbour outside of it. The edge of the image is no outline."""
    outline = np.zeros_like(mask)
    for axis in range(mask.ndim):
        here = np.moveaxis(outline, axis, 0)
        inside = np.moveaxis(mask, axis, 0)
        is_step = inside[1:] != inside[:-1]
        here[1:] |= is_step & inside[1:]
        here[:-1] |= is_step & inside[:-1]
    return outline


def surface_distances(reference: Mask, prediction: Mask, voxel_um: tuple[float, ...]) -> SurfaceDistances:
    """Distances between the outlines of two masks.

    Computed in the smallest box that holds both outlines, so that masks of a few cells in a large image are cheap.
    """
    a, b = outline_of(reference), outline_of(prediction)
    box = _box_of(a | b)
    a, b = a[box], b[box]
    return SurfaceDistances(_to_nearest(a, b, voxel_um), _to_nearest(b, a, voxel_um))


def object_distances(
    reference: Labels, prediction: Labels, overlap: Overlap, iou: float, voxel_um: tuple[float, ...]
) -> list[SurfaceDistances]:
    """Distances between the outlines of every two objects that match at an IoU of at least `iou`."""
    matching = overlap.match(iou)
    reference_ids = overlap.reference_ids[matching.reference]
    prediction_ids = overlap.prediction_ids[matching.prediction]
    boxes = zip(_boxes(reference, reference_ids), _boxes(prediction, prediction_ids), strict=True)
    distances = []
    for i, j, (first, second) in zip(reference_ids, prediction_ids, boxes, strict=True):
        box = tuple(
            # One voxel more on all sides, for without neighbours there is no outline.
            slice(max(min(p.start, q.start) - 1, 0), max(p.stop, q.stop) + 1)
            for p, q in zip(first, second, strict=True)
        )
        distances.append(surface_distances(reference[box] == i, prediction[box] == j, voxel_um))
    return distances


def _to_nearest(outline: Mask, other: Mask, voxel_um: tuple[float, ...]) -> np.ndarray:
    points = np.stack(np.nonzero(outline))
    if not other.any():
        return np.full(points.shape[1], np.inf)
    # Where the nearest voxel is, not how far: an eighth of the memory, and distances are wanted at few places.
    nearest = distance_transform_edt(~other, sampling=voxel_um, return_distances=False, return_indices=True)
    assert isinstance(nearest, np.ndarray)
    steps_um = (nearest[(slice(None), *points)] - points) * np.array(voxel_um)[:, None]
    return np.sqrt((steps_um**2).sum(axis=0))


def _box_of(mask: Mask) -> Box:
    box = []
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        used = np.flatnonzero(mask.any(axis=others))
        box.append(slice(int(used[0]), int(used[-1]) + 1) if len(used) else slice(0, 0))
    return tuple(box)


def _boxes(labels: Labels, ids: np.ndarray) -> list[Box]:
    """Bounding box of each of `ids`, which are all in `labels`."""
    if len(ids) == 0:
        return []
    known = np.sort(ids)
    number = np.searchsorted(known, labels).astype(np.int32)
    is_known = known[np.minimum(number, len(known) - 1)] == labels
    boxes = find_objects(np.where(is_known, number + 1, 0), max_label=len(known))
    return [boxes[place] for place in np.searchsorted(known, ids)]
