"""Several populations in one scene, each with a shape of its own."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Integer

from ..canvas import Canvas
from ..errors import InputError
from ..grid import Box, Grid
from ..scene import AbstractShape, Objects
from ..types import Labels, Plane, Points


@dataclass(frozen=True, eq=False)
class Mixed(AbstractShape):
    """The class of an object says its shape.

    All compete by their scaled distances, so where objects of two shapes overlap they share the overlap as two of
    one shape do.
    """

    shapes: Mapping[int, AbstractShape]
    """Class id to shape, each drawn from the table of objects: not `Pixels`."""

    def __post_init__(self) -> None:
        if odd := [type(shape).__name__ for shape in self.shapes.values() if not shape.needs_objects]:
            raise InputError(
                f"{odd[0]} has its labels already and cannot be mixed; draw it as a scene of its own"
            )

    def compete(self, objects: Objects, ids: Integer[np.ndarray, " n"], canvas: Canvas) -> None:
        """Draw the objects over what is there, class by class."""
        for shape, rows in self._populations(objects):
            shape.compete(objects.take(rows), ids[rows], canvas)

    def half_extents_um(self, objects: Objects, grid: Grid) -> Points:
        """Of the shape of each object."""
        return self._gather(
            objects, np.zeros_like(objects.centre_um), lambda s, o: s.half_extents_um(o, grid)
        )

    def volume_factor(self, objects: Objects, grid: Grid) -> Float[np.ndarray, " n"]:
        """Of the shape of each object."""
        return self._gather(objects, np.zeros(len(objects)), lambda s, o: s.volume_factor(o, grid))

    def texture(self, labels: Labels, objects: Objects, grid: Grid, box: Box | None = None) -> Plane | None:
        """Of the shapes that know theirs."""
        found: Plane | None = None
        class_of = np.concatenate([[0], objects.class_id])[labels]
        for shape, rows in self._populations(objects):
            is_own = class_of == objects.class_id[rows[0]]
            texture = shape.texture(np.where(is_own, labels, 0), objects, grid, box)
            if texture is not None:
                if found is None:
                    found = np.where(labels > 0, np.nan, 0).astype(np.float32)
                found[is_own] = texture[is_own]
        return found

    def _gather(
        self, objects: Objects, out: np.ndarray, ask: Callable[[AbstractShape, Objects], np.ndarray]
    ) -> np.ndarray:
        for shape, rows in self._populations(objects):
            out[rows] = ask(shape, objects.take(rows))
        return out

    def _populations(self, objects: Objects) -> list[tuple[AbstractShape, np.ndarray]]:
        present = np.unique(objects.class_id).tolist()
        if missing := [c for c in present if c not in self.shapes]:
            raise InputError(
                f"objects have class {missing[0]}, and shapes are given for {sorted(self.shapes)}; add its shape"
            )
        return [(self.shapes[c], np.flatnonzero(objects.class_id == c)) for c in present]
