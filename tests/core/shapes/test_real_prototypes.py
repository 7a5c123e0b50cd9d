"""Prototypes out of real nuclei: cut out, kept, and shown again with the volumes they have."""

import csv
from pathlib import Path

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.core.grid import Grid
from cellsynth.core.scene import Objects
from cellsynth.core.shapes import PrototypeBank, Prototypes, extract_prototypes
from cellsynth.io.formats import read_pixels
from cellsynth.io.prototypes import read_prototypes, write_prototypes
from tests.core.shapes.scenes import objects_of, random_rotations

pytestmark = pytest.mark.slow

DATA = Path(__file__).parents[4] / "shared" / "data"


def rows_of(name: str) -> list[dict[str, str]]:
    if not (DATA / name).is_dir():
        pytest.skip(f"needs the development data: {name} in shared/data beside the repository")
    with (DATA / name / "index.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def ovule_bank() -> PrototypeBank:
    row = rows_of("ovule_nuclei_3d")[0]
    image, labels = (read_pixels(DATA / "ovule_nuclei_3d" / row[part]) for part in ("image", "mask"))
    voxel_um = tuple(float(size) for size in row["voxel_um"].split())
    return extract_prototypes(image.astype(np.float32), labels.astype(np.int32), voxel_um, min_voxels=500)


def dsb_bank() -> PrototypeBank:
    masks, textures = [], []
    for row in [r for r in rows_of("dsb2018") if r["kind"] == "fluorescence"][:12]:
        image, labels = (read_pixels(DATA / "dsb2018" / row[part]) for part in ("image", "mask"))
        grey = image.astype(np.float32)
        grey = grey if grey.ndim == 2 else grey.mean(axis=-1)
        try:
            bank = extract_prototypes(grey, labels.astype(np.int32), (1.0, 1.0))
        except InputError:
            continue  # all nuclei of this one are small or at the border
        masks += bank.masks
        textures += bank.textures
    return PrototypeBank(masks, textures, np.ones((len(masks), 2)))


@pytest.mark.parametrize("bank_of", [ovule_bank, dsb_bank])
def test_real_nuclei_keep_their_volume_however_they_are_turned(bank_of, tmp_path):
    bank = bank_of()
    write_prototypes(tmp_path / "bank.npz", bank)
    bank = read_prototypes(tmp_path / "bank.npz")
    assert len(bank) >= 8
    n, d = 60, bank.ndim
    rng = np.random.default_rng(0)
    objects = objects_of(np.zeros((n, d)), np.ones(d))
    axes, _ = bank.frames(objects.key, scale=(1, 1))
    voxel = float(axes.min()) / 12
    size = int(np.ceil(3.2 * axes.max() / voxel))
    grid = Grid(shape_px=(size,) * d, voxel_um=(voxel,) * d)
    drawn, expected = [], []
    for i in range(n):
        centre = np.full((1, d), size * voxel / 2) + rng.uniform(-voxel, voxel, (1, d))
        one = Objects(
            centre, axes[[i]], random_rotations(1, d, rng), np.ones(1), np.ones(1, np.int32), objects.key[[i]]
        )
        drawn.append(np.count_nonzero(Prototypes(bank).draw(one, grid, grid.box)) * voxel**d)
        expected.append((np.pi if d == 2 else 4 / 3 * np.pi) * np.prod(axes[i]))
    assert np.sum(drawn) == pytest.approx(np.sum(expected), rel=0.01)
    assert np.array(drawn) == pytest.approx(np.array(expected), rel=0.03)
