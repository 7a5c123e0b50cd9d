"""Prototypes: shown as they were imaged, neither inflated nor worn off by turning, with the grey values they had."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.core.grid import Grid
from cellsynth.core.scene import Objects, Scene
from cellsynth.core.shapes import PrototypeBank, Prototypes, extract_prototypes
from cellsynth.core.shapes.prototype_bank import prototype_of
from tests.core.shapes.scenes import bank_of, objects_of, random_rotations


def placed(bank: PrototypeBank, grid: Grid, seed: int, centre_um=None) -> Objects:
    """One object in the frame of its prototype, by default in the middle of the grid."""
    middle = np.array(grid.extent_um) / 2 if centre_um is None else centre_um
    objects = objects_of(middle, np.ones(bank.ndim), seed=seed)
    axes, rotation = bank.frames(objects.key, turn_deg=0, tilt_deg=0, scale=(1, 1))
    return Objects(objects.centre_um, axes, rotation, objects.intensity, objects.class_id, objects.key)


@pytest.mark.parametrize("ndim", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_in_its_own_frame_a_prototype_is_as_it_was_imaged(ndim, seed):
    bank = bank_of(ndim)
    voxel = tuple(bank.voxel_um[0])
    grid = Grid(shape_px=(17, 41, 47)[-ndim:], voxel_um=voxel)
    which = prototype_of(placed(bank, grid, seed).key, len(bank))[0]
    mask, texture = bank.masks[which], bank.textures[which]
    start = np.array((3, 5, 7)[-ndim:])
    centre = bank.tables.centre_um[which][3 - ndim :] + start * voxel
    scene = Scene(grid, placed(bank, grid, seed, centre), Prototypes(bank))
    labels = scene.draw()
    crop = tuple(slice(a, a + n) for a, n in zip(start, mask.shape, strict=True))
    assert labels.sum() == mask.sum()
    assert np.array_equal(labels[crop] > 0, mask)
    shown = scene.shape.texture(labels, scene.objects, grid)
    assert shown[crop][mask] == pytest.approx(texture[mask], rel=1e-3, abs=1e-3)
    assert (shown[labels == 0] == 0).all()


@pytest.mark.parametrize("shape_of", [Prototypes, Prototypes.augmented])
@pytest.mark.parametrize("ndim", [2, 3])
def test_turning_does_not_inflate(ndim, shape_of):
    bank = bank_of(ndim, 1)
    grid = Grid(shape_px=(61, 91, 91)[-ndim:], voxel_um=(0.2, 0.13, 0.13)[-ndim:])
    rng = np.random.default_rng(0)
    expected = bank.masks[0].sum() * np.prod(bank.voxel_um[0]) / np.prod(grid.voxel_um)
    counts = []
    for seed in range(40):
        objects = placed(bank, grid, seed, np.array(grid.extent_um) / 2 + rng.uniform(-0.1, 0.1, ndim))
        turned = Objects(
            objects.centre_um,
            objects.semi_axes_um,
            random_rotations(1, ndim, rng),
            objects.intensity,
            objects.class_id,
            objects.key,
        )
        counts.append(np.count_nonzero(shape_of(bank).draw(turned, grid, grid.box)))
    assert np.mean(counts) == pytest.approx(expected, rel=0.01)


def test_elastic_deformation_changes_the_outline_of_each_object_a_little():
    bank = bank_of(2, 1)
    grid = Grid(shape_px=(91, 91), voxel_um=(0.1, 0.1))
    plain, first, other = (
        Scene(grid, placed(bank, grid, seed), Prototypes(bank, elastic=e)).draw() > 0
        for seed, e in ((0, 0.0), (0, 0.2), (1, 0.2))
    )
    for a, b in ((plain, first), (plain, other), (first, other)):
        assert 0.005 < (a ^ b).sum() / plain.sum() < 0.2


def test_frames_turn_by_as_much_as_asked_and_stretch_the_axes():
    bank = bank_of(3)
    keys = objects_of(np.zeros((300, 3)), np.ones(3)).key
    axes, rotation = bank.frames(keys, turn_deg=30, tilt_deg=0, scale=(0.8, 1.3))
    own, still = bank.frames(keys, turn_deg=0, tilt_deg=0, scale=(1, 1))
    assert np.linalg.det(rotation) == pytest.approx(1)
    ratio = axes / own
    assert 0.8 <= ratio.min() < 0.82
    assert 1.28 < ratio.max() <= 1.3
    turn = rotation @ still.transpose(0, 2, 1)
    assert turn[:, 0] == pytest.approx(np.tile([1.0, 0, 0], (300, 1)), abs=1e-12)  # z stays
    assert np.degrees(np.arccos(turn[:, 1, 1])).max() == pytest.approx(30, abs=1)
    tilted = bank.frames(keys, turn_deg=0, tilt_deg=20, scale=(1, 1))[1] @ still.transpose(0, 2, 1)
    assert 15 < np.degrees(np.arccos(np.clip(tilted[:, 0, 0], -1, 1))).max() < 29


@pytest.mark.parametrize("shape_of", [Prototypes, Prototypes.augmented])
def test_grey_values_have_a_mean_of_one_in_every_cell(shape_of):
    bank = bank_of(2)
    grid = Grid(shape_px=(131, 131), voxel_um=(0.1, 0.1))
    spread = []
    for seed in range(12):
        scene = Scene(grid, placed(bank, grid, seed), shape_of(bank))
        labels = scene.draw()
        texture = scene.shape.texture(labels, scene.objects, grid)
        assert texture[labels > 0].mean() == pytest.approx(1, rel=0.03)
        spread.append(texture[labels > 0].std())
    assert min(spread) > 0.05


def test_texture_of_a_box_is_the_crop_of_the_whole():
    bank = bank_of(3)
    grid = Grid(shape_px=(17, 41, 47), voxel_um=(0.5, 0.22, 0.2))
    scene = Scene(grid, placed(bank, grid, 0), Prototypes.augmented(bank))
    box = grid.boxes((9, 20, 30))[1]
    labels = scene.draw()
    whole = scene.shape.texture(labels, scene.objects, grid)
    assert np.array_equal(
        scene.shape.texture(labels[box.slices], scene.objects, grid, box), whole[box.slices]
    )


def test_all_prototypes_are_used_about_equally():
    keys = objects_of(np.zeros((3000, 2)), np.ones(2)).key
    assert np.bincount(prototype_of(keys, 5)) == pytest.approx([600] * 5, rel=0.15)


def test_cells_that_touch_the_border_or_are_small_are_left_out():
    labels = np.zeros((31, 47), np.uint16)
    labels[0:9, 20:29] = 9  # at the border
    labels[12:14, 3:5] = 4  # small
    labels[15:25, 10:20] = 2
    labels[12:22, 30:42] = 7
    image = np.full((31, 47), 20.0, np.float32)
    image[labels == 2] = 50
    image[15, 10] = 110
    image[labels == 7] = 80
    bank = extract_prototypes(image, labels, (0.5, 0.4))
    assert [mask.shape for mask in bank.masks] == [(10, 10), (10, 12)]
    assert all(mask.all() for mask in bank.masks)
    assert bank.voxel_um.tolist() == [[0.5, 0.4]] * 2
    assert bank.textures[0].mean() == pytest.approx(1)
    assert bank.textures[0][0, 0] == pytest.approx(3 * bank.textures[0][5, 5])  # 110 - 20 against 50 - 20
    assert (bank.textures[1] == 1).all()


def test_a_neighbour_in_the_crop_does_not_belong_to_the_cell():
    labels = np.zeros((31, 31), np.int32)
    labels[5:25, 5:25] = np.where(np.add.outer(np.arange(20), np.arange(20)) < 20, 1, 2)
    bank = extract_prototypes(np.ones((31, 31), np.float32), labels, (1.0, 1.0))
    assert [int(mask.sum()) for mask in bank.masks] == [210, 190]


@pytest.mark.parametrize("labels", [np.zeros((31, 47), np.int32), np.ones((31, 47), np.int32)])
def test_an_image_without_a_whole_cell_is_refused(labels):
    with pytest.raises(InputError, match="whole cell"):
        extract_prototypes(np.ones((31, 47), np.float32), labels, (1.0, 1.0))


def test_image_and_labels_of_different_axes_are_refused():
    with pytest.raises(InputError, match="same axes"):
        extract_prototypes(np.ones((31, 47), np.float32), np.ones((31, 47), np.int32), (1.0, 1.0, 1.0))


def test_a_bank_of_nothing_or_of_odd_parts_is_refused():
    mask, texture = np.ones((5, 7), np.bool_), np.ones((5, 7), np.float32)
    with pytest.raises(InputError, match="at least one"):
        PrototypeBank([], [], np.zeros((0, 2)))
    with pytest.raises(InputError, match="prototype 1"):
        PrototypeBank([mask, ~mask], [texture, texture], np.ones((2, 2)))


def test_prototypes_of_planes_do_not_make_volumes():
    grid = Grid(shape_px=(5, 7, 9), voxel_um=(1.0, 1.0, 1.0))
    with pytest.raises(InputError, match="2D and the grid is 3D"):
        Prototypes(bank_of(2)).draw(objects_of((2, 3, 4), (1, 1, 1)), grid, grid.box)
