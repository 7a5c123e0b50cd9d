"""Attenuation: the published values, and paths through tissue only."""

import numpy as np
import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.core.field import LatticeField
from cellsynth.core.grid import Grid
from cellsynth.labels.regions import registry as regions
from cellsynth.render._attenuation import Attenuation, path_field

GRID = Grid(shape_px=(100, 31, 47), voxel_um=(1.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("law", "b", "values"),
    [
        ("f2p", 150.0, {10: 0.68, 30: 0.335, 60: 0.133, 100: 0.047}),
        ("f3p", 200.0, {5: 1.0, 10: 1.0, 30: 0.564, 60: 0.262, 100: 0.108}),
        ("f2", 150.0, {30: 0.335}),
        ("f1", 150.0, {0: 1.05**-6, 45: 1.5**-6}),
        ("fOld", 150.0, {0: 1.0, 100: 2.0**-6 + 0.2}),
        ("f3", 150.0, {10: 1.0, 100: 1.45**-6}),
    ],
)
def test_published_laws_have_their_values(law, b, values):
    slices = np.array(list(values), float)
    found = Attenuation.parse({"law": law, "b": b}).factor(slices * 1.5, GRID)
    assert found == pytest.approx(list(values.values()), abs=1.2e-3)


def test_beer_lambert_and_the_least():
    law = Attenuation.parse({"law": "beer_lambert", "length_um": 50, "least": 0.1})
    assert law.factor(np.array([0.0, 50.0, 500.0]), GRID) == pytest.approx([1, np.exp(-1), 0.1])
    assert Attenuation().factor(np.array([90.0]), GRID).tolist() == [1]


def test_a_law_that_divides_by_nothing_is_refused():
    with pytest.raises(RecipeError, match="f3p needs more than 10"):
        Attenuation.parse({"law": "f3p", "b": 10})


def test_without_tissue_the_path_is_the_depth():
    path = path_field(None, GRID).in_box(GRID, GRID.box)
    assert path[:, 3, 5] == pytest.approx((np.arange(100) + 0.5) * 1.5, abs=1e-3)
    assert np.ptp(path, axis=(1, 2)).max() < 1e-3


def test_only_tissue_counts():
    ball = regions.parse({"kind": "ellipsoid", "semi_axes_um": [30.0]})
    grid = Grid(shape_px=(80, 80, 80), voxel_um=(1.0, 1.0, 1.0))
    tissue = ball.field(grid)
    assert isinstance(tissue, LatticeField)
    path = path_field(tissue, grid).in_box(grid, grid.box)
    column = path[:, 40, 40]
    assert column[5] == pytest.approx(0, abs=1.0)
    assert column[40] == pytest.approx(30.5, abs=1.0)
    assert column[75] == pytest.approx(60, abs=1.0)
    aside = path[:, 40, 58]
    assert aside[79] == pytest.approx(2 * np.sqrt(30**2 - 18.5**2), abs=1.5)
    assert path[:, 2, 2].max() == 0
