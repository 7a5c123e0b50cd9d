"""Objects and grids that the tests of all shapes draw."""

import numpy as np

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.core.scene import AbstractShape, Objects
from cellsynth.core.shapes import (
    Branched,
    Ellipsoid,
    Fragments,
    Mixed,
    PrototypeBank,
    Prototypes,
    Rod,
    StarConvex,
    Superellipsoid,
)

GRIDS = {
    2: Grid(shape_px=(61, 83), voxel_um=(0.35, 0.25)),
    3: Grid(shape_px=(13, 31, 47), voxel_um=(1.1, 0.7, 0.5)),
}


def objects_of(centre_um, semi_axes_um, rotation=None, class_id=None, seed=5) -> Objects:
    centre_um = np.atleast_2d(np.asarray(centre_um, float))
    semi_axes_um = np.atleast_2d(np.asarray(semi_axes_um, float))
    n, d = centre_um.shape
    semi_axes_um = np.broadcast_to(semi_axes_um, (n, d)).copy()
    if rotation is None:
        rotation = np.broadcast_to(np.eye(d), (n, d, d))
    keys = np.array([Key.from_seed(seed).child("object", i).uint64() for i in range(n)], np.uint64)
    classes = np.ones(n, np.int32) if class_id is None else np.asarray(class_id, np.int32)
    return Objects(centre_um, semi_axes_um, np.array(rotation, float), np.ones(n), classes, keys)


def random_objects(grid: Grid, n: int, seed: int, sizes=(0.8, 3.5)) -> Objects:
    """Rotated objects that overlap each other and the border, the last axis the longest; classes 1 to 4."""
    rng = np.random.default_rng(seed)
    return objects_of(
        rng.uniform(-0.1, 1.1, (n, grid.ndim)) * grid.extent_um,
        np.sort(rng.uniform(*sizes, (n, grid.ndim)), axis=1),
        random_rotations(n, grid.ndim, rng),
        rng.integers(1, 5, n),
        seed,
    )


def random_rotations(n: int, ndim: int, rng: np.random.Generator) -> np.ndarray:
    rotation = np.linalg.qr(rng.standard_normal((n, ndim, ndim)))[0]
    rotation[:, :, 0] *= np.linalg.det(rotation)[:, None]
    return rotation


def bank_of(ndim: int, n: int = 3) -> PrototypeBank:
    """Lopsided bodies with a gradient of grey values, in voxels of unequal size."""
    masks, textures = [], []
    for i in range(n):
        shape = (9 + i, 23, 31 - 2 * i)[-ndim:]
        at = np.stack(np.meshgrid(*[np.linspace(-1, 1, s) for s in shape], indexing="ij"))
        mask = ((at**2).sum(0) < 0.95) & ~((at[-1] > 0.2) & (at[-2] > 0.3))
        light = 1 + 0.5 * at[-1] + 0.3 * np.cos(7 * at[-2])
        masks.append(mask)
        textures.append((light / light[mask].mean()).astype(np.float32))
    return PrototypeBank(masks, textures, np.tile((0.5, 0.22, 0.2)[-ndim:], (n, 1)))


def shapes_of(ndim: int) -> dict[str, AbstractShape]:
    """One or two of every kind that is drawn from the table."""
    return {
        "ellipsoid": Ellipsoid(),
        "rough ellipsoid": Ellipsoid(0.3),
        "star-convex": StarConvex(),
        "rough star-convex": StarConvex(0.25, degrees=9, decay=0.5),
        "diamond": Superellipsoid(1.0),
        "superellipsoid": Superellipsoid(4.0),
        "rod": Rod(),
        "bent rod": Rod(bend_deg=100, constriction=0.6, dividing=0.7),
        "branched": Branched(reach=3.0),
        "fragments": Fragments((2, 5), 0.15),
        "prototypes": Prototypes(bank_of(ndim)),
        "augmented prototypes": Prototypes.augmented(bank_of(ndim)),
        "mixed": Mixed({1: StarConvex(), 2: Rod(40), 3: Branched(reach=2.5), 4: Prototypes(bank_of(ndim))}),
    }
