"""Point spread functions: widths against theory, light kept, symmetry, files."""

import numpy as np
import pytest
import tifffile

from cellsynth.core.errors import InputError, RecipeError
from cellsynth.render.psfs import registry
from cellsynth.render.psfs._diffraction import intensity_around_focus
from cellsynth.render.psfs._scatter import widened
from cellsynth.render.psfs.base import trimmed

FINE = (0.1, 0.05, 0.05)
VOXEL = (0.5, 0.2, 0.25)


def half_maximum(profile, voxel_um):
    """Full width at half maximum, by linear interpolation."""
    peak = int(np.argmax(profile))
    half = profile[peak] / 2
    places = np.arange(len(profile))
    low = np.interp(half, profile[: peak + 1], places[: peak + 1])
    high = np.interp(-half, -profile[peak:], places[peak:])
    return (high - low) * voxel_um


def widths(kernel, voxel_um):
    z, y, x = (n // 2 for n in kernel.shape)
    return half_maximum(kernel[:, y, x], voxel_um[0]), half_maximum(kernel[z, y], voxel_um[2])


@pytest.mark.parametrize("kind", [k for k in registry.names() if k != "file"])
def test_a_kernel_is_odd_sums_to_one_and_has_its_peak_in_the_middle(kind):
    kernel = registry.parse(kind).kernel(VOXEL)
    assert all(n % 2 for n in kernel.shape)
    assert kernel.dtype == np.float32
    assert kernel.min() >= 0
    assert kernel.sum(dtype=float) == pytest.approx(1, abs=1e-5)
    assert np.unravel_index(np.argmax(kernel), kernel.shape) == tuple(n // 2 for n in kernel.shape)
    assert np.allclose(kernel, kernel[:, ::-1, :], atol=1e-6)
    assert np.allclose(kernel, kernel[:, :, ::-1], atol=1e-6)


@pytest.mark.parametrize(("na", "index"), [(0.5, 1.0), (0.8, 1.33), (1.2, 1.33), (1.4, 1.515)])
def test_widefield_has_the_widths_of_theory(na, index):
    psf = registry.parse({"kind": "gibson_lanni", "na": na, "immersion_index": index, "reach_z_um": 5.0})
    depth, within = widths(psf.kernel(FINE), FINE)
    # Born and Wolf: the Airy disc, and 0.886 wavelengths over the difference of the paths of axis and margin.
    assert within == pytest.approx(0.514 * 0.52 / na, rel=0.06)
    assert depth == pytest.approx(0.886 * 0.52 / (index - np.sqrt(index**2 - na**2)), rel=0.12)


def test_the_airy_disc_is_dark_where_theory_says():
    radius = 0.61 * 0.52 / 0.3 * np.array([0.0, 1.0, 1.83])  # of the first and the second dark ring
    dark = intensity_around_focus(0.3, 520.0, 1.0, 1.0, 0.0, np.zeros(1), radius)[0]
    assert dark[1] / dark[0] < 1e-4
    assert dark[2] / dark[0] < 1e-4


def test_a_point_deep_in_another_index_is_blurred_and_stays_in_place():
    near, deep = (
        registry.parse({"kind": "gibson_lanni", "na": 1.2, "sample_index": 1.45, "depth_um": depth}).kernel(
            VOXEL
        )
        for depth in (0.0, 60.0)
    )
    assert deep.max() < 0.7 * near.max()
    on_axis = deep[:, deep.shape[1] // 2, deep.shape[2] // 2]
    assert np.argmax(on_axis) == pytest.approx(len(deep) // 2, abs=1)


def test_confocal_is_narrower_than_widefield_and_a_sheet_thinner_than_both():
    near = {"na": 0.5, "reach_xy_um": 1.5}
    wide = widths(registry.parse({"kind": "gibson_lanni", **near, "reach_z_um": 4.0}).kernel(FINE), FINE)
    confocal = widths(registry.parse({"kind": "confocal", **near, "reach_z_um": 4.0}).kernel(FINE), FINE)
    sheet = widths(registry.parse({"kind": "light_sheet", **near, "thickness_um": 1.5}).kernel(FINE), FINE)
    assert confocal[0] < 0.85 * wide[0]
    assert (
        confocal[1] < 0.95 * wide[1]
    )  # of an open pinhole the laser decides: 0.51 of its wavelength over the aperture
    assert sheet[0] < 0.5 * wide[0]
    assert sheet[1] == pytest.approx(wide[1], rel=0.03)


def test_a_closed_pinhole_squares_the_focus():
    values = {"kind": "confocal", "pinhole_airy": 0.0, "excitation_nm": 520.0, "reach_z_um": 3.0}
    closed = registry.parse(values).kernel(FINE)
    wide = registry.parse({"kind": "gibson_lanni", "reach_z_um": 3.0}).kernel(FINE)
    assert widths(closed, FINE)[1] == pytest.approx(widths(wide, FINE)[1] * 0.72, rel=0.05)


def test_a_gaussian_has_its_standard_deviations():
    kernel = registry.parse({"kind": "gaussian", "sigma_xy_um": 0.7, "sigma_z_um": 1.4}).kernel(VOXEL)
    for axis, sigma in enumerate((1.4, 0.7, 0.7)):
        places = (np.arange(kernel.shape[axis]) - kernel.shape[axis] // 2) * VOXEL[axis]
        profile = kernel.sum(axis=tuple({0, 1, 2} - {axis}), dtype=float)
        assert (profile * places**2).sum() == pytest.approx(sigma**2 + VOXEL[axis] ** 2 / 12, rel=0.01)


def test_scattering_adds_its_variance():
    kernel = registry.parse("gaussian").kernel(VOXEL)
    wide = widened(kernel, 0.9, VOXEL)
    for axis in (1, 2):
        variances = []
        for k in (kernel, wide):
            places = (np.arange(k.shape[axis]) - k.shape[axis] // 2) * VOXEL[axis]
            variances.append((k.sum(axis=tuple({0, 1, 2} - {axis}), dtype=float) * places**2).sum())
        assert variances[1] - variances[0] == pytest.approx(0.81, rel=0.03)


def test_trimming_keeps_the_light_that_it_says():
    rng = np.random.default_rng(0)
    values = rng.random((21, 31, 41)) * np.exp(-np.abs(np.arange(-10, 11)))[:, None, None]
    kept = trimmed(values, 0.05)
    assert kept.sum() >= 0.95 * values.sum()
    assert kept.shape[0] < 21


@pytest.mark.parametrize("kind", ["gibson_lanni", "confocal", "light_sheet"])
def test_an_aperture_that_no_lens_has_is_refused(kind):
    with pytest.raises(RecipeError, match="an aperture is below the refractive index"):
        registry.parse({"kind": kind, "na": 1.4})


@pytest.mark.parametrize("shape", [(11, 13, 13), (10, 12, 14)])
def test_a_measured_kernel_of_any_size_is_resampled_about_its_centre(tmp_path, shape):
    axes = [(np.arange(n) - (n - 1) / 2) * v for n, v in zip(shape, (0.4, 0.2, 0.2), strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    bead = np.exp(-(z**2) / (2 * 0.6**2) - (y**2 + x**2) / (2 * 0.3**2)) * 1000 + 50
    path = tmp_path / "bead.tif"
    tifffile.imwrite(path, bead.astype(np.uint16), metadata={"axes": "ZYX"})
    psf = registry.parse({"kind": "file", "path": str(path), "voxel_um": [0.4, 0.2, 0.2]})
    kernel = psf.kernel((0.2, 0.1, 0.1))
    assert all(n % 2 for n in kernel.shape)
    places = (np.arange(kernel.shape[0]) - kernel.shape[0] // 2) * 0.2
    profile = kernel.sum(axis=(1, 2), dtype=float)
    assert (profile * places).sum() == pytest.approx(0, abs=0.02)
    assert np.sqrt((profile * places**2).sum()) == pytest.approx(0.6, rel=0.12)


@pytest.mark.parametrize(
    ("pixels", "options", "message"),
    [
        (np.ones((5, 7, 7), np.uint16), {"voxel_um": [1, 1, 1]}, "one value everywhere"),
        (np.ones((7, 7), np.uint16), {"voxel_um": [1, 1, 1]}, "has the axes ZYX"),
        (np.full((5, 7, 7), np.nan, np.float32), {"voxel_um": [1, 1, 1]}, "NaN or infinite"),
        (np.ones((5, 7, 7), np.uint16), {}, "has no voxel size"),
    ],
)
def test_a_file_that_is_no_kernel_is_refused(tmp_path, pixels, options, message):
    tifffile.imwrite(tmp_path / "psf.tif", pixels, metadata={"axes": "ZYX"[-pixels.ndim :]})
    with pytest.raises(InputError, match=message):
        registry.parse({"kind": "file", "path": str(tmp_path / "psf.tif"), **options}).kernel(VOXEL)


def test_widths_in_nanometres_are_refused_before_memory_is_taken(tmp_path):
    for values in ({"kind": "gaussian", "sigma_xy_um": 250.0}, {"kind": "gibson_lanni", "reach_z_um": 4e6}):
        with pytest.raises(RecipeError, match="check its width and grid.voxel_um"):
            registry.parse(values).kernel((0.1, 0.1, 0.1))
    with pytest.raises(RecipeError, match="check its width and grid.voxel_um"):
        widened(registry.parse("gaussian").kernel(VOXEL), 1e5, VOXEL)
    path = tmp_path / "bead.tif"
    tifffile.imwrite(path, np.eye(9, dtype=np.uint16)[None].repeat(9, 0), metadata={"axes": "ZYX"})
    with pytest.raises(RecipeError, match="greater than 0"):
        registry.parse({"kind": "file", "path": str(path), "voxel_um": [0, 0, 0]})
    with pytest.raises(RecipeError, match="check its width and grid.voxel_um"):
        registry.parse({"kind": "file", "path": str(path), "voxel_um": [200, 200, 200]}).kernel(
            (0.1, 0.1, 0.1)
        )


def test_a_fine_measurement_is_averaged_over_coarse_voxels_and_noise_around_it_is_no_light(tmp_path):
    axes = [(np.arange(n) - n // 2) * 0.1 for n in (41, 61, 61)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    bead = 1000 * np.exp(-(z**2 / 0.5**2 + (y**2 + x**2) / 0.2**2) / 2) + 100
    noisy = bead + np.random.default_rng(0).normal(0, 5, bead.shape)
    path = tmp_path / "bead.tif"
    tifffile.imwrite(path, noisy.clip(0).astype(np.uint16), metadata={"axes": "ZYX"})
    kernel = registry.parse({"kind": "file", "path": str(path), "voxel_um": [0.1] * 3}).kernel(
        (0.5, 0.5, 0.5)
    )
    ideal = registry.parse({"kind": "gaussian", "sigma_z_um": 0.5, "sigma_xy_um": 0.2}).kernel(
        (0.5, 0.5, 0.5)
    )
    assert kernel.max() == pytest.approx(ideal.max(), rel=0.2)
    middle = kernel.shape[1] // 2
    near = kernel[:, middle - 2 : middle + 3, middle - 2 : middle + 3].sum()
    assert near > 0.85
