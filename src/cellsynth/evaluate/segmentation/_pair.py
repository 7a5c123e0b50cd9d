"""LabelPair: a reference and a prediction of one image, checked once, measured once."""

from functools import cached_property, partial
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int64

from ...core.blocks import BlockWork, Volume
from ...core.errors import InputError
from ...core.grid import Box
from ...core.types import Mask
from ._classes import Classes, classes_of
from ._distances import SurfaceDistances
from ._ignored import find_ignored
from ._overlap import Overlap
from ._reading import FirstLook, border_ids, check_ids, look_at
from ._surface import foreground_distances, object_distances

SurfaceOf = Literal["foreground", "objects"]
"""Whose outlines: those of the foreground, or those of each matched pair of objects."""


class LabelPair:
    """Reference and prediction of one image, with what the metrics share computed when first asked for.

    Parameters
    ----------
    reference, prediction : (Z, Y, X) or (Y, X)
        Integer ids of any width, 0 for background; ids may have gaps and reach 2^32 - 1. Arrays, or volumes on disk,
        such as `io.ome_zarr.open_labels` gives: these are read block by block, twice for the metrics of distance,
        and every score is the same as in memory.
    voxel_um
        Voxel size along each axis, in um; only metrics of distance use it. Where it is None a voxel counts as
        1 um along each axis, so that these metrics are in voxels: see `length_unit`.
    ignore_border
        Leave out objects that touch the border of the image, for they are cut: in 3D its top and bottom as well,
        but not the faces of an axis of one voxel. Predicted objects go with them: see `find_ignored`.
    min_area_px
        Leave out objects of fewer voxels, by the same rule.
    work
        Who works on the blocks; by default threads of this process. Two arrays need none, and are measured in this
        thread.
    reference_classes, prediction_classes
        Class of each object, 1 or more; 0 for an object of no class. An array indexed by id (what stands at 0 is not
        looked at), or a mapping from id to class. Only metrics of classes need them.

    What is left out is background on both sides, for every metric.

    Raises
    ------
    InputError
        If the two differ in shape, are not integer, not 2D or 3D, empty, negative, or beyond the largest id; values
        on disk are looked at when they are read.
    """

    reference: Volume
    """As given: what is ignored is still there."""

    prediction: Volume
    """As given: what is ignored is still there."""

    voxel_um: tuple[float, ...] | None

    # Wide annotations: this is the border where any array may arrive.
    def __init__(
        self,
        reference: np.ndarray | Volume,
        prediction: np.ndarray | Volume,
        voxel_um: tuple[float, ...] | None = None,
        *,
        ignore_border: bool = False,
        min_area_px: int = 0,
        work: BlockWork | None = None,
        reference_classes: Classes | None = None,
        prediction_classes: Classes | None = None,
    ) -> None:
        _check(reference, "reference")
        _check(prediction, "prediction")
        shape = tuple(reference.shape)
        if shape != tuple(prediction.shape):
            raise InputError(
                f"reference and prediction differ in shape: {shape} and {tuple(prediction.shape)}; "
                "they must be labels of the same image, so crop one or check the names"
            )
        if voxel_um is not None and (len(voxel_um) != len(shape) or min(voxel_um) <= 0):
            raise InputError(
                f"voxel_um is {voxel_um}; needs a positive size for each of the {len(shape)} axes"
            )
        if min_area_px < 0:
            raise InputError(f"min_area_px is {min_area_px}; needs 0 or more voxels")
        self.reference, self.prediction, self.voxel_um = reference, prediction, voxel_um
        self.ignore_border, self.min_area_px = ignore_border, min_area_px
        in_memory = isinstance(reference, np.ndarray) and isinstance(prediction, np.ndarray)
        self._work = None if in_memory and work is None else work or BlockWork()
        self._classes = {"reference": reference_classes, "prediction": prediction_classes}

    @cached_property
    def overlap(self) -> Overlap:
        """Objects of both sides, their areas, the pairs that overlap and their matching; without the ignored."""
        if not self._may_ignore:
            return self._all
        return self._all.without(self.ignored_reference_ids, self.ignored_prediction_ids)

    @cached_property
    def reference_at_border(self) -> Bool[np.ndarray, " r"]:
        """For each of `overlap.reference_ids`: does the object touch the border of the image?"""
        return np.isin(self.overlap.reference_ids, self._at_border[0])

    @cached_property
    def prediction_at_border(self) -> Bool[np.ndarray, " p"]:
        """For each of `overlap.prediction_ids`: does the object touch the border of the image?"""
        return np.isin(self.overlap.prediction_ids, self._at_border[1])

    @property
    def ignored_reference_ids(self) -> Int64[np.ndarray, " i"]:
        """Ids of the reference objects that are left out, ascending."""
        return self._ignored[0]

    @property
    def ignored_prediction_ids(self) -> Int64[np.ndarray, " j"]:
        """Ids of the predicted objects that are left out, ascending."""
        return self._ignored[1]

    @property
    def all_reference_ids(self) -> Int64[np.ndarray, " n"]:
        """Ids of all objects of the reference, the ignored too, ascending."""
        return self._all.reference_ids

    @property
    def all_prediction_ids(self) -> Int64[np.ndarray, " m"]:
        """Ids of all objects of the prediction, the ignored too, ascending."""
        return self._all.prediction_ids

    @property
    def reference_foreground(self) -> Mask:
        """Where a reference object is, without the ignored; the whole volume is read."""
        return _foreground(self.reference, self.ignored_reference_ids)

    @property
    def prediction_foreground(self) -> Mask:
        """Where a predicted object is, without the ignored; the whole volume is read."""
        return _foreground(self.prediction, self.ignored_prediction_ids)

    @cached_property
    def reference_classes(self) -> Int64[np.ndarray, " r"]:
        """Class of each of `overlap.reference_ids`; raises InputError where none were given."""
        return classes_of(self.overlap.reference_ids, self._classes["reference"], "reference")

    @cached_property
    def prediction_classes(self) -> Int64[np.ndarray, " p"]:
        """Class of each of `overlap.prediction_ids`; raises InputError where none were given."""
        return classes_of(self.overlap.prediction_ids, self._classes["prediction"], "prediction")

    @property
    def length_unit(self) -> Literal["um", "px"]:
        """What distances are measured in: `um`, or `px` where the voxel size is not known."""
        return "px" if self.voxel_um is None else "um"

    def surfaces(self, of: SurfaceOf = "foreground") -> list[SurfaceDistances]:
        """Distances between outlines: of the two foregrounds, or of every two objects that match at an IoU of .5."""
        if of not in self._surfaces:
            volumes = (self.reference, self.prediction)
            voxel_um = self.voxel_um or (1.0,) * len(self.reference.shape)
            if of == "foreground":
                ignored = (self.ignored_reference_ids, self.ignored_prediction_ids)
                self._surfaces[of] = [foreground_distances(volumes, ignored, voxel_um, self._work)]
            else:
                self._surfaces[of] = object_distances(volumes, self.overlap, 0.5, voxel_um, self._work)
        return self._surfaces[of]

    @cached_property
    def _surfaces(self) -> dict[SurfaceOf, list[SurfaceDistances]]:
        return {}

    @property
    def _may_ignore(self) -> bool:
        return self.ignore_border or self.min_area_px > 1  # every object has a voxel

    @cached_property
    def _all(self) -> Overlap:
        if self._work is None:
            return Overlap.of(np.asarray(self.reference), np.asarray(self.prediction))
        return self._first_look.overlap

    @cached_property
    def _at_border(self) -> tuple[np.ndarray, np.ndarray]:
        """Ids at the border of the image, of both sides."""
        if self._work is None:
            shape = self.reference.shape
            whole = Box((0,) * len(shape), shape)
            sides = (np.asarray(self.reference), np.asarray(self.prediction))
            return border_ids(sides[0], whole, shape), border_ids(sides[1], whole, shape)
        return self._first_look.reference_at_border, self._first_look.prediction_at_border

    @cached_property
    def _first_look(self) -> FirstLook:
        """All that one reading of the blocks gives."""
        assert self._work is not None
        boxes = self._work.boxes(self.reference, self.prediction)
        look = partial(look_at, self.reference, self.prediction)
        return self._work.reduce(look, boxes, FirstLook.__add__)

    @cached_property
    def _ignored(self) -> tuple[np.ndarray, np.ndarray]:
        if not self._may_ignore:
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        every = self._all
        reference_out = every.reference_areas_px < self.min_area_px
        prediction_out = every.prediction_areas_px < self.min_area_px
        if self.ignore_border:
            reference_out |= np.isin(every.reference_ids, self._at_border[0])
            prediction_out |= np.isin(every.prediction_ids, self._at_border[1])
        reference, prediction = find_ignored(every, reference_out, prediction_out)
        return every.reference_ids[reference], every.prediction_ids[prediction]


def _check(labels: Volume, name: str) -> None:
    shape = tuple(labels.shape)
    if not np.issubdtype(labels.dtype, np.integer):
        raise InputError(
            f"{name} is {labels.dtype}; labels are integer arrays, 0 for background and one id per object, "
            "so convert it, or label the connected parts of a mask first"
        )
    if len(shape) not in (2, 3):
        raise InputError(
            f"{name} has {len(shape)} axes, shape {shape}; labels are (Y, X) or (Z, Y, X), "
            "so pass one channel and one time point"
        )
    if 0 in shape:
        raise InputError(f"{name} has no voxel, shape {shape}; check how it was cropped")
    if isinstance(labels, np.ndarray):
        check_ids(labels, name)


def _foreground(volume: Volume, ignored: np.ndarray) -> Mask:
    labels = np.asarray(volume[...])
    mask = labels > 0
    if len(ignored):
        mask &= ~np.isin(labels, ignored)
    return mask
