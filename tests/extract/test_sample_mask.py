"""Masks of samples, with balls of known size in voxels that are no cubes."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.extract._balls import closed, opened
from cellsynth.extract.sample_mask import extract_sample_mask

VOXEL = (2.0, 0.5, 0.7)


def distance_um(shape, voxel_um, centre_um):
    places = np.indices(shape).T.astype(float)
    return (((places + 0.5) * voxel_um - centre_um) ** 2).sum(-1).T ** 0.5


def extract(image, voxel_um, smoothing=1.0, opening=1.0, closing=4.0, **options):
    lengths = {
        name: (length,) * image.ndim
        for name, length in (
            ("smoothing_um", smoothing),
            ("opening_um", opening),
            ("closing_um", closing),
        )
    }
    return extract_sample_mask(image.astype(np.float32), voxel_um, **lengths, **options)


def test_a_ball_keeps_its_size_whatever_the_voxels(key):
    shape = (21, 71, 55)
    ball = distance_um(shape, VOXEL, (20.0, 18.0, 19.0)) < 12
    image = 100 * ball + key.generator().normal(0, 3, shape)
    found = extract(image, VOXEL, method="otsu")
    assert found.mask.sum() == pytest.approx(ball.sum(), rel=0.05)
    assert (found.mask & ball).sum() / (found.mask | ball).sum() > 0.93
    assert 30 < found.level < 70


def test_cells_of_a_sample_are_joined_and_debris_is_left_out(key):
    shape, voxel = (91, 107), (0.5, 0.5)
    cells = [(y, x) for y in (12, 18, 24) for x in (12, 18, 24)]
    image = np.max([distance_um(shape, voxel, c) < 2.2 for c in cells], axis=0) * 80.0
    image[80:86, 90:96] = 80
    found = extract(image, voxel)
    assert found.n_parts == 2
    assert 0 < found.share_left_out < 0.2
    assert found.mask[36, 30]  # between cells
    assert not found.mask[83, 93]


def test_holes_are_filled_or_kept():
    shape, voxel = (101, 117), (0.5, 0.5)
    r = distance_um(shape, voxel, (25.0, 29.0))
    image = ((r < 20) & (r > 10)) * 50.0
    assert extract(image, voxel).mask[50, 58]
    assert not extract(image, voxel, keeps_holes=True).mask[50, 58]
    assert extract(image, voxel, closing=11.0, keeps_holes=True).mask[50, 58]


def test_a_sample_that_the_border_cuts_keeps_the_corner_it_leaves():
    shape, voxel = (81, 97), (0.5, 0.5)
    image = (distance_um(shape, voxel, (0.0, 48.0)) < 30) * 9.0
    mask = extract(image, voxel, method="otsu", closing=8.0).mask
    assert mask[0, 90]
    assert not mask[0, 0]
    assert not mask[80, 0]
    assert not mask[80, 96]


def test_a_dark_sample_is_the_opposite_of_a_bright_one():
    shape, voxel = (61, 77), (0.5, 0.5)
    image = (distance_um(shape, voxel, (15.0, 19.0)) < 9) * 50.0
    bright = extract(image, voxel)
    dark = extract(200 - image, voxel, is_dark=True)
    assert np.array_equal(bright.mask, dark.mask)
    assert dark.level == pytest.approx(200 - bright.level, rel=1e-5)


def test_what_cannot_be_a_sample_is_refused_with_the_threshold():
    with pytest.raises(InputError, match=r"same value \(7\)"):
        extract(np.full((31, 47), 7), (1, 1))
    image = np.zeros((31, 47))
    image[15, 20] = 100
    with pytest.raises(InputError, match=r"threshold .* \(mean.* as wide as the opening"):
        extract(image, (1.0, 1.0), smoothing=0.5, opening=4.0)


def test_opening_removes_what_is_thinner_than_the_ball_in_micrometres():
    mask = np.zeros((15, 41, 37), bool)
    mask[3:12, 5:35, 5:30] = True  # 18 x 15 x 17.5 um
    mask[7, 20, :] = True
    kept = opened(mask, (2.0, 2.0, 2.0), VOXEL)
    assert kept[7, 20, 17]
    assert not kept[7, 20, 36]
    assert not (kept & ~mask).any()
    assert np.array_equal(opened(kept, (2.0, 2.0, 2.0), VOXEL), kept)
    assert np.array_equal(opened(mask, (0.0, 0.0, 0.0), VOXEL), mask)
    assert not opened(mask, (10.0, 1.0, 1.0), VOXEL).any()


def test_closing_joins_over_gaps_of_twice_the_radius_and_not_to_the_border():
    mask = np.zeros((31, 61), bool)
    mask[5:26, 5:20] = mask[5:26, 26:50] = True
    assert closed(mask, (4.0, 4.0), (1.0, 1.0))[15, 20:26].all()
    assert not closed(mask, (2.0, 2.0), (1.0, 1.0))[15, 23]
    assert not closed(mask, (14.0, 14.0), (1.0, 1.0))[:, :5].any()
