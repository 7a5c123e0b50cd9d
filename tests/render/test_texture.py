"""What cells emit before the optics: mean, profile, texture, and smooth fields."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.rng import Key
from cellsynth.labels.ellipsoids import Ellipsoids
from cellsynth.render._texture import (
    _NOISE_SD,
    Texture,
    _grain,
    emission,
    faint_structures,
    haze,
    smooth_field,
)

GRID = Grid(shape_px=(401, 501), voxel_um=(0.25, 0.25))


def scene(key, **values):
    config = Ellipsoids.parse({"n_cells": 12, "radius_um": 8, "axis_ratio": 0.8, "touching": 0, **values})
    return config.build(GRID)(key)


def means_of_whole_cells(light, labels):
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return [light[labels == i].mean() for i in range(1, labels.max() + 1) if i not in edge]


@pytest.mark.parametrize("dome", [0.0, 0.5, 1.0])
def test_a_cell_emits_its_intensity_on_average(key, dome):
    made = scene(key, intensity=1.7)
    light = emission(made.draw(), made.objects, GRID, Texture(contrast=0, dome=dome))
    means = means_of_whole_cells(light, made.draw())
    assert len(means) > 3
    assert means == pytest.approx([1.7] * len(means), rel=0.01)


def test_background_emits_nothing(key):
    made = scene(key)
    assert emission(made.draw(), made.objects, GRID, Texture())[made.draw() == 0].max() == 0


def test_a_flat_cell_is_even_and_a_domed_one_is_as_thick_as_an_ellipsoid(key):
    made = scene(key, n_cells=1)
    labels = made.draw()
    flat, domed = (emission(labels, made.objects, GRID, Texture(contrast=0, dome=d)) for d in (0.0, 1.0))
    assert set(flat[labels == 1]) == {1.0}
    # At the centre sqrt(1 - 0) over its mean of 2/3.
    assert domed.max() == pytest.approx(1.5, rel=0.01)


@pytest.mark.parametrize("contrast", [0.1, 0.3])
def test_brightness_inside_of_cells_varies_as_asked(key, contrast):
    spreads = []
    for i in range(6):
        made = scene(key.child(i))
        labels = made.draw()
        light = emission(labels, made.objects, GRID, Texture(contrast=contrast, scale_um=1.0, dome=0))
        spreads += [
            light[labels == k].std() for k in range(1, labels.max() + 1) if (labels == k).sum() > 2000
        ]
    assert np.mean(spreads) == pytest.approx(contrast, rel=0.08)


def test_the_constant_of_the_grain_is_its_standard_deviation():
    rng = Key.from_seed(3).generator()
    # A 2D scene lies in the plane z = 0 of the lattice.
    values = [_grain(np.uint64(rng.integers(2**63)), 0.0, *rng.uniform(-50, 50, 2)) for _ in range(40_000)]
    assert np.std(values) == pytest.approx(_NOISE_SD, rel=0.015)
    assert np.mean(values) == pytest.approx(0, abs=0.008)


def test_texture_moves_and_turns_with_the_cell(key):
    made = scene(key, n_cells=1)
    first = emission(made.draw(), made.objects, GRID, Texture())
    objects = made.objects
    shift = np.array([[5.0, -7.5]])  # 20 and 30 pixels
    moved = type(objects)(
        objects.centre_um + shift,
        objects.semi_axes_um,
        objects.rotation,
        objects.intensity,
        objects.class_id,
        objects.key,
    )
    labels = type(made)(GRID, moved, made.shape).draw()
    second = emission(labels, moved, GRID, Texture())
    assert np.allclose(second[25:, :-35], first[5:-20, 30:-5], atol=2e-3)


@pytest.mark.parametrize("shape", [(31, 47), (256, 301), (9, 512)])
@pytest.mark.parametrize("length", [2.0, 11.0, 60.0])
def test_haze_keeps_the_sum_of_light(shape, length):
    light = np.zeros(shape, np.float32)
    light[shape[0] // 3 : 2 * shape[0] // 3 + 1, shape[1] // 3 : 2 * shape[1] // 3 + 1] = 90
    assert haze(light, length).sum() == pytest.approx(light.sum(), rel=2e-3)


def test_haze_spreads_light_by_its_length_and_does_not_shift_it():
    light = np.zeros((301, 301), np.float32)
    light[130:171, 130:171] = 1000
    profile = haze(light, 20.0).sum(axis=0)
    x = np.arange(301)
    mean = (x * profile).sum() / profile.sum()
    assert mean == pytest.approx(150, abs=0.2)
    variance = ((x - mean) ** 2 * profile).sum() / profile.sum()
    assert variance == pytest.approx(20**2 + (41**2 - 1) / 12, rel=0.03)  # of the Gaussian and the square


def test_a_smooth_field_is_smooth_and_of_the_promised_range():
    grid = Grid(shape_px=(127, 255), voxel_um=(0.5, 0.5))
    fields = [smooth_field(grid, Key.from_seed(i).uint64(), 40.0) for i in range(60)]
    values = np.array(fields)
    assert np.abs(values).max() <= 1
    assert values.mean() == pytest.approx(0, abs=0.1)
    assert np.abs(np.diff(values, axis=2)).max() < 0.06
    assert not np.array_equal(fields[0], fields[1])


def test_faint_structures_are_sparse_and_one_place_in_a_hundred_is_above_one():
    grid = Grid(shape_px=(301, 301), voxel_um=(0.5, 0.5))
    fields = np.array([faint_structures(grid, Key.from_seed(i).uint64(), 8.0) for i in range(60)])
    assert fields.min() == 0
    assert np.median(fields) < 0.1
    assert np.quantile(fields, 0.99) == pytest.approx(1, rel=0.1)


def test_faint_structures_do_not_follow_the_axes_of_the_image():
    grid = Grid(shape_px=(257, 257))
    size = np.arange(257) - 128
    angle = np.arctan2(*np.meshgrid(size, size, indexing="ij"))
    radius = np.hypot(*np.meshgrid(size, size))
    power = np.zeros((257, 257))
    for i in range(80):
        field = faint_structures(grid, Key.from_seed(i).uint64(), 12.0)
        power = power + np.abs(np.fft.fftshift(np.fft.fft2(field - field.mean()))) ** 2
    ring = (radius > 15) & (radius < 60)
    folded = np.mod(angle, np.pi / 2)
    along = ring & ((folded < np.pi / 16) | (folded > 7 * np.pi / 16))
    across = ring & (np.abs(folded - np.pi / 4) < np.pi / 16)
    assert 0.6 < power[along].mean() / power[across].mean() < 1.6
