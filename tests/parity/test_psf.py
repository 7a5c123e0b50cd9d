"""Widefield light around the focus, against the package `psf` (C. Gohlke), which integrates a vector theory."""

import numpy as np
import pytest

from cellsynth.render.psfs._diffraction import intensity_around_focus

pytestmark = pytest.mark.external
psf = pytest.importorskip("psf", reason="pip install psf")


@pytest.mark.parametrize(
    ("na", "index", "tolerance"), [(0.3, 1.0, 0.02), (0.5, 1.33, 0.02), (0.9, 1.33, 0.07)]
)
def test_the_focus_is_that_of_an_isotropic_emitter(na, index, tolerance):
    extent = (4.0 * index * 0.52 / na**2, 2.0 * 0.52 / na)
    other = psf.PSF(
        psf.ISOTROPIC | psf.EMISSION,
        shape=(48, 40),
        dims=extent,
        ex_wavelen=488.0,
        em_wavelen=520.0,
        num_aperture=na,
        refr_index=index,
        magnification=1.0,
    ).data
    z, r = (np.linspace(0, e, n) for n, e in zip(other.shape, extent, strict=True))
    ours = intensity_around_focus(na, 520.0, index, index, 0.0, z, r)
    difference = np.abs(ours / ours.max() - other / other.max())
    assert difference[:, 0].max() < 0.005  # along the axis
    assert difference.max() < tolerance  # away from it the scalar theory falls behind as the aperture grows
