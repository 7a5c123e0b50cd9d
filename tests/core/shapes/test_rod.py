"""Rods: length and width by hand, areas by formula, bent and about to divide."""

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.scene import Scene
from cellsynth.core.shapes import Rod
from tests.core.shapes.scenes import objects_of

FINE = Grid(shape_px=(301, 301), voxel_um=(0.1, 0.1))


def rod(shape: Rod, semi_axes_um=(2.0, 10.0), seed=5) -> np.ndarray:
    return Scene(FINE, objects_of((15.0, 15.0), semi_axes_um, seed=seed), shape).draw() > 0


def test_length_and_width_are_the_axes():
    mask = rod(Rod(dividing=0))
    y, x = np.nonzero(mask)
    assert (np.ptp(y) + 1, np.ptp(x) + 1) == pytest.approx((40, 200), abs=2)
    assert mask.sum() * 0.01 == pytest.approx(4 * 16 + np.pi * 4, rel=2e-3)


def test_ends_are_round():
    mask = rod(Rod(dividing=0))
    y, x = (np.argwhere(mask).T + 0.5) * 0.1 - 15
    from_cap, is_cap = np.hypot(y, x - 8), x > 8
    assert from_cap[is_cap].max() < 2.0


def test_a_rod_no_longer_than_wide_is_round():
    assert rod(Rod(), (5.0, 5.0)).sum() * 0.01 == pytest.approx(np.pi * 25, rel=5e-3)
    assert rod(Rod(), (7.0, 5.0)).sum() * 0.01 == pytest.approx(np.pi * 35, rel=5e-3)


def test_a_bent_rod_keeps_its_area_and_centre_and_is_shorter_across():
    straight = rod(Rod(dividing=0))
    turned = [rod(Rod(bend_deg=120, dividing=0), seed=seed) for seed in range(12)]
    widths = [np.ptp(np.nonzero(mask)[1]) for mask in turned]
    for mask in turned:
        assert mask.sum() == pytest.approx(straight.sum(), rel=5e-3)
        assert np.argwhere(mask).mean(axis=0) == pytest.approx([149.5, 149.5], abs=6)
    assert min(widths) < 180 < max(widths)  # each by an amount of its own


def test_a_dividing_rod_is_narrow_in_the_middle_alone():
    mask = rod(Rod(constriction=0.8, dividing=1.0))
    width = mask.sum(axis=0)
    assert width[150] < 0.75 * width[115]
    assert width[115] == pytest.approx(40, abs=2)


def test_the_share_of_dividing_rods_is_as_asked():
    n = 200
    objects = objects_of(np.full((n, 2), 15.05), [(2.0, 10.0)])
    shape = Rod(constriction=0.8, dividing=0.3)
    factor = shape.volume_factor(objects, FINE)
    assert (factor < factor.max() - 1e-9).mean() == pytest.approx(0.3, abs=0.1)


@pytest.mark.parametrize("wrong", [{"bend_deg": 200}, {"constriction": 1.0}, {"dividing": -1}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="between"):
        Rod(**wrong)
