"""The microscope: how the parts go together."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cellsynth.core.grid import Grid
from cellsynth.core.shapes import Prototypes
from cellsynth.labels.ellipsoids import Ellipsoids
from cellsynth.render.microscope import Microscope, expected_photons, is_out_of_focus
from tests.core.shapes.scenes import bank_of

GRID = Grid(shape_px=(201, 251), voxel_um=(0.5, 0.5))
BARE = {
    "background": {"photons": 0, "haze": 0, "gradient": 0},
    "psf": {"na": None},
    "texture": {"contrast": 0, "dome": 0},
}


def scene(key, n_cells=9, **values):
    config = Ellipsoids.parse({"n_cells": n_cells, "radius_um": 7, "touching": 0, **values})
    return config.build(GRID)(key)


def photons(made, key, **values):
    return expected_photons(Microscope.parse({**BARE, **values}), GRID, made, key)


def test_a_cell_of_intensity_one_sends_the_photons_asked_for(key):
    made = scene(key)
    light = photons(made, key, photons=321)
    assert np.array_equal(np.unique(light), np.float32([0, 321]))
    assert np.array_equal(light > 0, made.draw() > 0)


def test_background_adds_its_photons_everywhere(key):
    made = scene(key)
    with_background = photons(made, key, background={"photons": 40, "haze": 0, "gradient": 0})
    assert with_background - photons(made, key) == pytest.approx(40, abs=1e-3)


def test_the_gradient_stays_within_its_share_and_differs_between_images(key):
    grounds = [
        photons(scene(key, 0), key.child(i), background={"photons": 100, "haze": 0, "gradient": 0.3})
        for i in range(8)
    ]
    assert min(g.min() for g in grounds) >= 70
    assert max(g.max() for g in grounds) <= 130
    assert np.std([g.mean() for g in grounds]) > 1


def test_haze_adds_its_share_of_the_light(key):
    made = scene(key)
    haze = {"photons": 0, "haze": 0.5, "haze_um": 6.0, "gradient": 0}
    plain, hazy = photons(made, key), photons(made, key, background=haze)
    assert hazy.sum() == pytest.approx(1.5 * plain.sum(), rel=0.05)
    assert (hazy >= plain - 1e-3).all()


def test_absorption_follows_beer_and_lambert(key):
    made = scene(key, intensity=[0.5, 2.0])
    values = {"contrast": "dark", "photons": 600, "background": {"photons": 2000, "haze": 0, "gradient": 0}}
    light = photons(made, key, **values)
    labels = made.draw()
    assert light[labels == 0] == pytest.approx(2000, rel=1e-5)
    for i, intensity in enumerate(made.objects.intensity, start=1):
        assert light[labels == i] == pytest.approx(2000 * np.exp(-intensity * 600 / 2000), rel=1e-4)


def test_intensity_scales_the_light_of_each_cell(key):
    made = scene(key, intensity=[0.5, 2.0])
    light, labels = photons(made, key, photons=100), made.draw()
    for i, intensity in enumerate(made.objects.intensity, start=1):
        assert light[labels == i] == pytest.approx(100 * intensity, rel=1e-4)


def test_cells_out_of_focus_are_dimmer_and_wider_and_the_others_as_they_were(key):
    made = scene(key)
    is_out = is_out_of_focus(made, 0.5)
    assert 0 < is_out.sum() < len(is_out)
    sharp = photons(made, key)
    mixed = photons(made, key, focus={"share": 0.5, "blur_um": 2.0, "dimming": 0.5})
    labels = made.draw()
    assert mixed.sum() == pytest.approx(
        sum(sharp[labels == i + 1].sum() * (0.5 if out else 1.0) for i, out in enumerate(is_out)), rel=0.01
    )
    middle = tuple((made.objects.centre_um / 0.5).astype(int).T)
    inside = np.all((made.objects.centre_um > 0) & (made.objects.centre_um < GRID.extent_um), axis=1)
    for out, y, x in zip(is_out[inside], *(m[inside] for m in middle), strict=True):
        assert mixed[y, x] == pytest.approx(200 if out else 400, rel=0.1)


def test_the_share_out_of_focus_is_the_one_asked_for_and_grows_by_adding_cells(key):
    made = Ellipsoids(n_cells=800, radius_um=1.5, touching=0).build(GRID)(key)
    chosen = [is_out_of_focus(made, share) for share in (0.0, 0.2, 0.6, 1.0)]
    assert [c.mean() for c in chosen] == pytest.approx([0, 0.2, 0.6, 1], abs=0.06)
    assert all((b >= a).all() for a, b in pairwise(chosen))


def test_the_image_is_the_expected_light_seen_by_the_camera(key):
    made = scene(key)
    camera = {"bit_depth": 16, "quantum_efficiency": 1.0, "read_noise_electrons": 0, "offset_counts": 50}
    config = Microscope.parse({**BARE, "photons": 2000, "camera": camera})
    counts = config.build(GRID)(made, key)[0] * 65535
    labels = made.draw()
    assert counts[labels == 0] == pytest.approx(50)
    assert counts[labels > 0].mean() == pytest.approx(2050, rel=0.002)
    assert counts[labels > 0].var() == pytest.approx(2000, rel=0.06)


def test_debris_shines_and_real_cells_bring_their_own_texture(key):
    made = scene(key)
    half = made.objects.take(np.arange(len(made.objects)) % 2 == 0)
    others = made.objects.take(np.arange(len(made.objects)) % 2 == 1)
    dirty = replace(made, objects=half, unlabelled=replace(made, objects=others))
    assert photons(dirty, key) == pytest.approx(photons(made, key), rel=1e-5)
    out_of_focus = {"share": 0.5, "dimming": 0.5}
    dim = photons(dirty, key, focus=out_of_focus)
    assert dim.sum() == pytest.approx(photons(made, key, focus=out_of_focus).sum(), rel=1e-5)
    assert dim.sum() < photons(dirty, key).sum()

    bank = bank_of(2)
    real = replace(made, shape=Prototypes(bank, elastic=0.0))
    labels = real.draw()
    texture = real.shape.texture(labels, real.objects, GRID)
    intensity = np.concatenate([[0], real.objects.intensity])[labels]
    assert photons(real, key, photons=100) == pytest.approx(100 * texture * intensity, rel=1e-4)
    assert texture[labels > 0].std() > 0
