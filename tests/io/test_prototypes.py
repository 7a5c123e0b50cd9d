"""Banks of prototypes: read as written, and nothing is read that only looks like one."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.io.prototypes import read_prototypes, write_prototypes
from tests.core.shapes.scenes import bank_of


@pytest.mark.parametrize("ndim", [2, 3])
def test_a_bank_is_read_as_it_was_written(tmp_path, ndim):
    bank = bank_of(ndim)
    write_prototypes(tmp_path / "bank.npz", bank)
    back = read_prototypes(tmp_path / "bank.npz")
    assert len(back) == len(bank)
    for i in range(len(bank)):
        assert np.array_equal(back.masks[i], bank.masks[i])
        assert np.array_equal(back.textures[i], bank.textures[i])
    assert np.array_equal(back.voxel_um, bank.voxel_um)
    assert np.array_equal(back.tables.rotation, bank.tables.rotation)


def test_equal_banks_are_equal_files(tmp_path):
    for name in ("a.npz", "b.npz"):
        write_prototypes(tmp_path / name, bank_of(2))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def parts() -> dict[str, np.ndarray]:
    return {
        "shape_px": np.array([[3, 5]]),
        "voxel_um": np.array([[1.0, 1.0]]),
        "mask": np.ones(15, np.bool_),
        "texture": np.ones(15, np.float32),
    }


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("shape_px", np.array([[3, 50]]), "announces 150 voxels"),
        ("shape_px", np.array([[-3, -5]]), "voxels"),
        ("shape_px", np.array([[2**40, 2**40]]), "announces"),
        ("shape_px", np.array([[3.0, 5.0]]), "integers"),
        ("shape_px", np.array([[3, 5], [3, 5]]), "one row"),
        ("shape_px", np.array([[1, 1, 3, 5]]), "one row"),
        ("voxel_um", np.array([[0.0, 1.0]]), "sizes of zero"),
        ("voxel_um", np.array([[np.nan, 1.0]]), "NaN"),
        ("texture", np.full(15, np.inf, np.float32), "infinite"),
        ("texture", np.ones((15, 1), np.float32), "no bank"),
        ("mask", np.ones(15, np.float32), "booleans"),
        ("mask", np.zeros(15, np.bool_), "prototype 0"),
        ("mask", np.array([None] * 15), "Python objects"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(tmp_path, part, value, message):
    np.savez(tmp_path / "bank.npz", **(parts() | {part: value}))
    with pytest.raises(InputError, match=message):
        read_prototypes(tmp_path / "bank.npz")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "other.npz", weights=np.ones(3))
    for name in ("text.npz", "other.npz", "missing.npz"):
        with pytest.raises(InputError):
            read_prototypes(tmp_path / name)
