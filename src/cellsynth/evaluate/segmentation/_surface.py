"""Distances between the outlines of two label volumes: of their foregrounds, or of every two objects that match."""

import numpy as np

from ...core.blocks import BlockWork, Volume
from ._distances import SurfaceDistances
from ._overlap import Overlap
from ._surface_search import Groups, Search, measure


def foreground_distances(
    volumes: tuple[Volume, Volume],
    ignored: tuple[np.ndarray, np.ndarray],
    voxel_um: tuple[float, ...],
    work: BlockWork | None,
) -> SurfaceDistances:
    """Distances between the outlines of the two foregrounds, without the objects of the ids that are ignored."""
    groups = tuple(Groups(ids.astype(np.uint32), np.zeros(len(ids), np.uint32), 1) for ids in ignored)
    return measure(Search(volumes, (groups[0], groups[1]), 1, voxel_um, work))[0]


def object_distances(
    volumes: tuple[Volume, Volume],
    overlap: Overlap,
    iou: float,
    voxel_um: tuple[float, ...],
    work: BlockWork | None,
) -> list[SurfaceDistances]:
    """Distances between the outlines of every two objects that match at an IoU of at least `iou`."""
    matching = overlap.match(iou)
    if not len(matching):
        return []
    first = Groups.of(overlap.reference_ids[matching.reference])
    second = Groups.of(overlap.prediction_ids[matching.prediction])
    return measure(Search(volumes, (first, second), len(matching), voxel_um, work))
