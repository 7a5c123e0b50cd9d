"""Response curves: what is varied, and where a method breaks."""

import math

import pytest

from cellsynth.pipeline.benchmark.response import BREAK, FACTORS, break_level, varied
from cellsynth.recipe import Recipe, make_sample

CONDITION = {
    "name": "one",
    "values": {
        "grid.shape_px": [96, 96],
        "labels.density_per_mm2": 2000.0,
        "labels.touching": 0.3,
        "labels.overlap": 0.2,
        "render.photons": 800.0,
        "render.background.photons": 100.0,
        "render.psf.blur_um": 1.0,
        "render.camera.gain_counts_per_electron": 0.05,
        "render.camera.read_noise_electrons": 4.0,
    },
}
RECIPE = Recipe.parse(
    {
        "grid": {"shape_px": [96, 96], "voxel_um": [1, 1], "is_scale_known": False},
        "labels": {"kind": "ellipsoids", "n_cells": None, "density_per_mm2": 2000},
        "render": {
            "kind": "microscope",
            "psf": {"na": None},
            "camera": {"bit_depth": 8, "offset_counts": 40},
        },
        "conditions": [CONDITION],
    }
)


@pytest.mark.parametrize("factor", FACTORS, ids=lambda f: f.name)
def test_level_one_is_the_recipe_itself(factor) -> None:
    assert varied(RECIPE, factor, 1.0) == RECIPE


@pytest.mark.parametrize("factor", FACTORS, ids=lambda f: f.name)
def test_every_level_can_be_made(factor) -> None:
    for level in factor.levels:
        assert make_sample(varied(RECIPE, factor, level), 0).labels is not None


def test_less_light_makes_a_noisier_image_of_the_same_brightness() -> None:
    light = next(f for f in FACTORS if f.name == "light")
    bright, dim = (make_sample(varied(RECIPE, light, level), 0) for level in (1.0, 1 / 16))
    assert dim.labels is not None
    background = dim.labels == 0
    assert (bright.labels == dim.labels).all()
    assert dim.image[0][background].mean() == pytest.approx(bright.image[0][background].mean(), rel=0.3)
    assert dim.image[0][background].std() > 1.5 * bright.image[0][background].std()  # haze adds to both


def test_contact_stays_a_share() -> None:
    contact = next(f for f in FACTORS if f.name == "contact")
    values = varied(RECIPE, contact, 4.0).conditions[0].values
    assert values["labels.touching"] == 0.95
    assert values["labels.overlap"] == pytest.approx(0.4)


def test_a_curve_breaks_where_it_falls_below_its_share_of_level_one() -> None:
    curve = {0.5: 1.0, 1.0: 1.0, 2.0: 0.9, 4.0: 0.7}
    # 0.8 lies half way between 0.9 and 0.7, so half way between 2 and 4 in the logarithm.
    assert BREAK == 0.8
    assert break_level(curve, is_worse_below=False) == pytest.approx(math.sqrt(8))


def test_light_is_walked_downwards() -> None:
    curve = {0.25: 0.4, 1.0: 1.0, 4.0: 1.0}
    assert break_level(curve, is_worse_below=True) == pytest.approx(math.exp(math.log(0.25) / 3))


def test_a_curve_that_stays_up_does_not_break() -> None:
    assert math.isnan(break_level({1.0: 0.9, 2.0: 0.85}, is_worse_below=False))
