"""Stacks of fluorescence: boxes, layers of optics, light that is kept, the camera slice by slice."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from cellsynth.core.errors import RecipeError
from cellsynth.core.grid import Grid
from cellsynth.core.shapes import Ellipsoid, Mixed, PrototypeBank, Prototypes
from cellsynth.labels.base import registry as generators
from cellsynth.render._layers import layers_of
from cellsynth.render._stack import Stack, tile_shape
from cellsynth.render.base import check_tile, registry
from cellsynth.render.fluorescence import stack_of as stack_under
from cellsynth.render.psfs import registry as psfs

GRID = Grid(shape_px=(23, 61, 83), voxel_um=(1.0, 0.5, 0.5))
BALL = {"kind": "cells", "fraction": 0.4, "region": {"kind": "ellipsoid", "semi_axes_um": [10.0, 14.0, 18.0]}}


@pytest.fixture
def scene(key):
    return generators.parse({**BALL, "populations": [{"radius_um": 3.0}]}).build(GRID)(key)


def stack_of(scene, key, grid=GRID, **values):
    return stack_under(registry.parse({"kind": "fluorescence", **values}), grid, scene, key)


def test_no_light_is_lost_in_the_optics(scene, key):
    values = {"background": 0.0, "photons": 100.0, "texture": {"contrast": 0.0, "dome": 0.0}}
    stack = stack_of(
        scene, key, optics=[{"psf": {"kind": "gaussian", "sigma_xy_um": 0.6, "sigma_z_um": 0.8}}], **values
    )
    (tile,) = stack.tiles
    seen = stack.expected_photons(tile).sum(dtype=float)
    emitted = 100.0 * scene.objects.intensity[scene.draw()[scene.draw() > 0] - 1].sum()
    assert seen == pytest.approx(emitted, rel=2e-3)  # the border takes a little


def test_a_point_becomes_the_kernel(key):
    grid = Grid(shape_px=(21, 41, 41), voxel_um=(0.5, 0.2, 0.2))
    one = generators.parse({"kind": "cells", "n_cells": 0}).build(grid)(key)
    optics = [{"psf": {"kind": "gibson_lanni", "na": 0.9, "reach_z_um": 4.0, "reach_xy_um": 2.0}}]
    stack = stack_of(one, key, grid, background=0.0, optics=optics)
    ((_, kernel),) = layers_of(stack.settings.channels[0].layers, 0.0, (0.5, 0.2, 0.2), 10.0)
    (halo,) = stack._halos
    light = np.zeros((21 + 2 * halo[0], 41 + 2 * halo[1], 41 + 2 * halo[2]), np.float32)
    light[tuple(n // 2 for n in light.shape)] = 1000
    (seen,) = stack._convolver((21, 41, 41))(light, [0])
    middle = tuple(
        slice(n // 2 - k // 2, n // 2 + k // 2 + 1) for n, k in zip(seen.shape, kernel.shape, strict=True)
    )
    assert seen[middle] == pytest.approx(1000 * kernel, abs=2e-3)


def test_tiles_of_a_large_grid_meet_without_a_seam(key):
    """Rendered in tiles, the light is that of one convolution of the whole, and noise belongs to its place."""
    grid = Grid(shape_px=(70, 300, 270), voxel_um=(1.0, 0.5, 0.5))
    scene = generators.parse(
        {**BALL, "fraction": 0.2, "region": {"kind": "ellipsoid", "semi_axes_um": [30, 70, 65]}}
    ).build(grid)(key)
    config = registry.parse(
        {"kind": "fluorescence", "optics": [{"psf": {"kind": "gaussian", "sigma_xy_um": 1.0}}]}
    )
    stack = stack_under(config, grid, scene, key)
    whole = stack.expected_photons(grid.box)
    small = replace(stack)
    small.__dict__["_tile_px"] = (64, 256, 256)  # the lattice of a grid that is larger than memory
    assert len(small.tiles) == 8
    for tile in small.tiles:
        np.testing.assert_allclose(small.expected_photons(tile), whole[tile.slices], rtol=1e-4, atol=2e-3)
    image = config.build(grid)(scene, key)[0]
    for tile in small.tiles:
        differing = np.mean(small.render(tile)[0] != image[tile.slices])
        assert differing < 1e-3  # a photon more or less where rounding of the transform tips the scale


def test_layers_of_optics_blend_with_the_path_through_tissue(scene, key):
    sharp = {"kind": "gaussian", "sigma_xy_um": 0.1, "sigma_z_um": 0.1}
    blurred = {"kind": "gaussian", "sigma_xy_um": 1.5, "sigma_z_um": 0.1}
    optics = [{"path_um": 0, "psf": sharp}, {"path_um": 20.0, "psf": blurred}]
    stack = stack_of(scene, key, optics=optics)
    (tile,) = stack.tiles
    path = stack._path.in_box(GRID, tile)
    weights = [1 - np.clip(path / 20.0, 0, 1), np.clip(path / 20.0, 0, 1)]
    both = stack.expected_photons(tile)
    first, second = (
        stack_of(scene, key, optics=[{"psf": p}]).expected_photons(tile) for p in (sharp, blurred)
    )
    assert both == pytest.approx(first * weights[0] + second * weights[1], rel=1e-3, abs=0.05)


def test_scattering_blurs_what_is_deep(scene, key):
    stack = stack_of(scene, key, scattering_um=8.0)
    widths = [kernel.shape[2] for _, kernel in stack._layers[0]]
    assert widths == sorted(widths)
    assert widths[-1] > widths[0]


def test_attenuation_and_bleaching_dim_with_depth(scene, key):
    plain = stack_of(scene, key, background=0.0)
    (tile,) = plain.tiles
    bright = plain.expected_photons(tile).sum(axis=(1, 2))
    dimmed = stack_of(
        scene, key, background=0.0, attenuation={"law": "beer_lambert", "length_um": 10.0}
    ).expected_photons(tile)
    ratio = dimmed.sum(axis=(1, 2))[4:19] / bright[4:19]
    assert (np.diff(ratio) < 0).all()
    bleached = stack_of(scene, key, background=0.0, bleaching=1.0).expected_photons(tile).sum(axis=(1, 2))
    assert bleached[4:19] / bright[4:19] == pytest.approx(np.exp(-(np.arange(4, 19) + 0.5) / 23), rel=1e-4)


def test_autofluorescence_is_of_the_tissue(scene, key):
    values = {
        "background": 3.0,
        "photons": 1e-6,
        "autofluorescence": 50.0,
        "optics": [{"psf": {"kind": "gaussian"}}],
    }
    light = stack_of(scene, key, **values).expected_photons(GRID.box)
    assert light[11, 30, 41] == pytest.approx(53, rel=0.02)
    assert light[0, 0, 0] == pytest.approx(3, abs=0.1)


def test_variance_against_mean_is_the_photon_transfer_line(key):
    empty = generators.parse({"kind": "cells", "n_cells": 0}).build(GRID)(key)
    means, variances = [], []
    for level in (50, 400, 3000):
        camera = {
            "bit_depth": 16,
            "gain_counts_per_electron": 2.0,
            "read_noise_electrons": 4.0,
            "n_frames": 3,
        }
        image = (
            stack_of(empty, key.child(level), background=level, camera=camera).render(GRID.box)[0] * 65535.0
        )
        means.append(image.mean() - 100)
        variances.append(image.var())
    assert means == pytest.approx([2.0 * 0.8 * level for level in (50, 400, 3000)], rel=0.01)
    slope, intercept = np.polyfit(means, variances, 1, w=1 / np.array(variances))
    assert slope == pytest.approx(2.0 / 3, rel=0.03)
    assert intercept == pytest.approx((2.0 * 4.0) ** 2 / 3, rel=0.1)


def test_hot_pixels_are_the_same_in_every_slice(key):
    empty = generators.parse({"kind": "cells", "n_cells": 0}).build(GRID)(key)
    camera = {"hot_pixels": 0.01, "hot_electrons": 2000.0, "bit_depth": 16}
    image = stack_of(empty, key, background=0.0, camera=camera).render(GRID.box)[0] * 65535.0
    is_hot = image > 150
    assert is_hot[0].mean() == pytest.approx(0.01, abs=0.004)
    assert (is_hot.all(axis=0) == is_hot.any(axis=0)).mean() > 0.998


def test_a_recipe_that_does_not_describe_a_stack_is_refused():
    with pytest.raises(RecipeError, match="ascending path_um"):
        registry.parse({"kind": "fluorescence", "optics": [{"path_um": 5}, {"path_um": 1}]})
    with pytest.raises(RecipeError, match="leave it at 0"):
        registry.parse({"kind": "fluorescence", "camera": {"noise_blur_px": 1.0}})
    with pytest.raises(RecipeError, match="optics"):
        registry.parse({"kind": "fluorescence", "optics": []})


def test_tiles_are_bounded_and_belong_to_the_lattice_of_noise():
    for shape in ((23, 61, 83), (256, 512, 512), (1024, 2048, 2048)):
        for halo in ((2, 4, 4), (10, 20, 20), (30, 60, 60)):
            z, y, x = tile_shape(Grid(shape_px=shape, voxel_um=(1, 1, 1)), halo)
            assert y % 256 == x % 256 == 0
            assert z * y * x <= 2**25


PLANE = Grid(shape_px=(61, 83), voxel_um=(0.5, 0.4))
PLAIN = {"background": 0.0, "photons": 100.0, "texture": {"contrast": 0.0, "dome": 0.0}}
NO_BLUR = [{"psf": {"kind": "gaussian", "sigma_xy_um": 0.0, "sigma_z_um": 0.0}}]


def two_layers(key, grid):
    """Cells, and a part that is called `nuclei`, of other places."""
    make = generators.parse({"kind": "cells", "n_cells": 9, "populations": [{"radius_um": 3.0}]}).build(grid)
    return replace(make(key), parts={"nuclei": make(key.child("other"))})


@pytest.mark.parametrize("grid", [PLANE, GRID], ids=["2D", "3D"])
def test_each_channel_shows_its_stains(key, grid):
    scene = two_layers(key, grid)
    channels = [{}, {"name": "dna", "stains": {"nuclei": 2.0, "cells": 0.5}, "background": 7.0}]
    stack = stack_of(scene, key, grid, **PLAIN, optics=NO_BLUR, channels=channels)
    cells, nuclei = scene.draw() > 0, scene.parts["nuclei"].draw() > 0
    assert stack.expected_photons(grid.box, 0) == pytest.approx(100.0 * cells, abs=0.01)
    assert stack.expected_photons(grid.box, 1) == pytest.approx(7 + 200.0 * nuclei + 50.0 * cells, abs=0.01)
    image = stack.render(grid.box)
    assert image.shape == (2, *grid.shape_px)
    assert not np.array_equal(image[0], image[1])


def test_a_channel_does_not_depend_on_the_others(key):
    scene = two_layers(key, PLANE)
    second = {"stains": {"nuclei": 1.0}}
    both = stack_of(scene, key, PLANE, channels=[{}, second]).render(PLANE.box)
    assert np.array_equal(both[:1], stack_of(scene, key, PLANE).render(PLANE.box))


def test_a_stain_of_what_is_not_there_is_refused(key):
    with pytest.raises(RecipeError, match="stains 'membranes', and the scene has cells, nuclei"):
        stack_of(two_layers(key, PLANE), key, PLANE, channels=[{"stains": {"membranes": 1.0}}])


def test_debris_shines_and_has_no_label(key):
    scene = two_layers(key, PLANE)
    dirty = replace(scene, parts={}, unlabelled=scene.parts["nuclei"])
    light = stack_of(dirty, key, PLANE, **PLAIN, optics=NO_BLUR).expected_photons(PLANE.box)
    is_debris = dirty.unlabelled.draw() > 0
    assert light == pytest.approx(100.0 * (dirty.draw() > 0) + 100.0 * is_debris, abs=0.01)
    assert np.array_equal(dirty.draw(), scene.draw())


@pytest.mark.parametrize(("grid", "steps"), [(PLANE, 3), (GRID, (2, 3, 1))], ids=["2D", "3D"])
def test_oversampled_light_is_the_mean_by_area(key, grid, steps):
    scene = two_layers(key, grid)
    stack = stack_of(scene, key, grid, **PLAIN, optics=NO_BLUR, oversampling=steps)
    each = (steps,) * grid.ndim if isinstance(steps, int) else steps
    fine = Grid(
        shape_px=tuple(n * s for n, s in zip(grid.shape_px, each, strict=True)),
        voxel_um=tuple(v / s for v, s in zip(grid.voxel_um, each, strict=True)),
    )
    cover = (scene.on(fine).draw() > 0).astype(float)
    for axis, (n, s) in enumerate(zip(grid.shape_px, each, strict=True)):
        cover = np.add.reduceat(cover, np.arange(n) * s, axis=axis) / s
    light = stack.expected_photons(grid.box)
    assert light == pytest.approx(100 * cover, abs=0.01)
    assert ((light > 1) & (light < 99)).any()


def test_oversampling_is_one_number_or_one_per_axis():
    with pytest.raises(RecipeError, match="oversampling has 2 numbers and the grid 3 axes"):
        registry.parse({"kind": "fluorescence", "oversampling": [2, 2]}).build(GRID)


def test_stages_lead_to_the_image(scene, key):
    values = {**PLAIN, "background": 5.0, "attenuation": {"law": "beer_lambert", "length_um": 10.0}}
    stack = stack_of(scene, key, **values)
    stages = stack.stages(GRID.box)
    assert list(stages) == ["emitted", "attenuated", "blurred", "expected", "image"]
    assert np.array_equal(stages["image"], stack.render(GRID.box))
    assert (stages["attenuated"] <= stages["emitted"]).all()
    assert stages["expected"] == pytest.approx(stages["blurred"] + 5, abs=1e-3)
    assert set(np.unique(stages["emitted"])) <= {0, *(100 * scene.objects.intensity).astype(np.float32)}


def test_threads_render_the_same(key):
    grid = Grid(shape_px=(40, 600, 300), voxel_um=(1.0, 0.5, 0.5))
    scene = generators.parse({**BALL, "region": {"kind": "ellipsoid", "semi_axes_um": [15, 90, 60]}}).build(
        grid
    )(key)
    stack, other = stack_of(scene, key, grid), stack_of(scene, key, grid)
    assert len(stack.tiles) > 1
    with ThreadPoolExecutor(2) as pool:
        threaded = list(pool.map(stack.render, stack.tiles))
    for tile, image in zip(reversed(other.tiles), reversed(threaded), strict=True):
        assert np.array_equal(other.render(tile), image)


def test_prototypes_bring_their_own_texture(key):
    """Dark voxels of a real cell stay dark; cells of other shapes in the same scene get a made-up texture."""
    rng = np.random.default_rng(0)
    mask = np.ones((9, 9), bool)
    light = rng.uniform(0.5, 1.5, mask.shape).astype(np.float32)
    light[4, 4] = 0
    bank = PrototypeBank([mask], [light], np.full((1, 2), 0.5))
    one = generators.parse({"kind": "cells", "n_cells": 2, "populations": [{"radius_um": 3.0}]}).build(PLANE)(
        key
    )
    objects = replace(
        one.objects.take(np.arange(2)),
        centre_um=np.array([[15.0, 10.0], [15.0, 24.0]]),
        semi_axes_um=np.full((2, 2), 2.6),
        rotation=np.tile(np.eye(2), (2, 1, 1)),
        class_id=np.array([1, 2], np.int32),
    )
    shape = Mixed({1: Prototypes(bank), 2: Ellipsoid()})
    scene = replace(one, objects=objects, shape=shape)
    light = stack_of(scene, key, PLANE, **PLAIN, optics=NO_BLUR).expected_photons(PLANE.box)
    labels = scene.draw()
    assert light[labels == 2] == pytest.approx(100.0, abs=0.01)
    assert light[labels == 1].std() > 15
    assert light[labels == 1].min() < 60
    assert light[labels == 0].max() < 1e-3


@pytest.mark.parametrize("law", ["fOld", "f1", "f2p", "beer_lambert"])
def test_nothing_dims_a_plane(key, law):
    scene = two_layers(key, PLANE)
    dimmed, plain = (
        stack_of(scene, key, PLANE, **PLAIN, attenuation={"law": name}).expected_photons(PLANE.box)
        for name in (law, "none")
    )
    np.testing.assert_array_equal(dimmed, plain)


def test_light_goes_on_beyond_the_border_of_the_grid(key):
    """Tissue that is cut by the border has no dark rim."""
    scene = replace(two_layers(key, GRID), parts={})
    optics = [{"psf": {"kind": "gaussian", "sigma_xy_um": 2.0, "sigma_z_um": 4.0}}]
    even = stack_of(scene, key, GRID, background=0.0, autofluorescence=50.0, photons=1e-6, optics=optics)
    np.testing.assert_allclose(even.expected_photons(GRID.box), 50.0, rtol=1e-3)


def test_scattering_leaves_the_blend_of_layers_as_it_is(key):
    near, far = ({"kind": "gaussian", "sigma_xy_um": s, "sigma_z_um": 0.5} for s in (0.3, 3.0))
    layers = [(path, psfs.parse(psf)) for path, psf in ((0.0, near), (90.0, far))]

    def width_at(place, scattering_um):
        found = layers_of(tuple(layers), scattering_um, (1.0, 0.5, 0.5), 90.0)
        below = [f for f in found if f[0] <= place][-1]
        above = ([f for f in found if f[0] > place] or [below])[0]
        share = (place - below[0]) / (above[0] - below[0]) if above is not below else 0.0
        variances = []
        for _, kernel in (below, above):
            x = (np.arange(kernel.shape[2]) - kernel.shape[2] // 2) * 0.5
            variances.append((kernel.sum(axis=(0, 1)) * x**2).sum())
        return np.sqrt((1 - share) * variances[0] + share * variances[1])

    for place in (0.0, 20.0, 30.0, 45.0, 60.0, 89.0):
        assert width_at(place, 1e-3) == pytest.approx(width_at(place, 0.0), rel=0.01)


def test_channels_of_one_name_are_refused():
    for channels in ([{"name": "a"}, {"name": "a"}], [{}, {"name": "channel_0"}]):
        with pytest.raises(RecipeError, match="two channels are called"):
            registry.parse({"kind": "fluorescence", "channels": channels})


class EndlessTile(Stack):
    """A stack whose point spread function mixes more into a tile than any memory holds."""

    @property
    def n_bytes(self):
        return 1 << 60


def test_a_tile_for_which_there_is_no_memory_is_refused(scene, key):
    plain = stack_of(scene, key)
    check_tile(plain)
    endless = EndlessTile(plain.settings, plain.grid, plain.scene, plain.key)
    with pytest.raises(RecipeError, match="narrower point spread function"):
        check_tile(endless)
