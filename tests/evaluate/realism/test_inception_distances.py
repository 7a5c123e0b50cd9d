"""FID and KID are the Frechet and the kernel distance of Inception's features, at the published settings."""

import numpy as np
import pytest

from cellsynth.core.errors import InputError
from cellsynth.evaluate.features import PictureSet
from cellsynth.evaluate.realism import registry
from cellsynth.evaluate.realism._sets import Both
from tests.evaluate.picture_fields import textures
from tests.network_weights import inception_file


def both(n, m, d=20):
    rng = np.random.default_rng(0)
    x, y = np.abs(rng.normal(size=(n, d))), np.abs(rng.normal(size=(m, d)))
    return Both(x, 1.5 * y, ("inception",) * d)


def test_settings_are_the_published_ones():
    measured = both(50, 40)
    plain = {"features": "inception", "is_standardized": False}
    frechet = registry.parse({"kind": "frechet_distance", **plain})
    kernel = registry.parse({"kind": "kernel_distance", **plain, "degree": 3, "offset": 1, "subset_size": 30})
    fid, kid = registry.parse("fid"), registry.parse({"kind": "kid", "subset_size": 30})
    assert fid.score(measured) == frechet.score(measured) == sum(fid.parts(measured).values())
    assert kid.score(measured) == kernel.score(measured)


def test_kernel_by_hand():
    # Two features, two images a side: k(a, b) = (a.b / 2 + 1)^3.
    measured = Both(np.array([[2.0, 0], [0, 2]]), np.array([[2.0, 2], [0, 0]]), ("inception",) * 2)
    within, across = (1 + 1) / 1, 4 * (27 + 27 + 1 + 1) / 16
    assert registry.parse("kid").score(measured) == pytest.approx(within - 2 * across)


def test_names_say_what_changes_the_number_alone():
    assert registry.parse("fid").name == "fid"
    assert registry.parse({"kind": "fid", "batch_size": 64}).name == "fid"
    assert (
        registry.parse({"kind": "kid", "preprocessing": "tensorflow"}).name == "kid[preprocessing=tensorflow]"
    )
    nested = {"kind": "recall", "features": {"kind": "inception", "weights": "a/w.pth", "batch_size": 2}}
    assert registry.parse(nested).name == "recall[features=inception[weights=w.pth]]"


@pytest.mark.parametrize("kind", ["fid", "kid"])
def test_one_image_is_too_few(kind):
    with pytest.raises(InputError, match="needs 2 images in each set; one has 1"):
        registry.parse(kind).score(both(1, 5))


@pytest.mark.parametrize("kind", ["fid", "kid", "frechet_distance", "precision"])
def test_images_reach_the_network(kind, tmp_path):
    pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')
    weights = inception_file(tmp_path / "w.npz")
    fields = {"weights": weights}
    if kind not in ("fid", "kid"):
        fields = {"features": {"kind": "inception", **fields}}
    if kind == "precision":
        fields["k"] = 1
    metric = registry.parse({"kind": kind, **fields})
    measured = metric.measure(textures(2), textures(3, seed=1))
    assert measured.reference.shape == (2, 2048)
    assert np.isfinite(metric.score(measured))
    volumes = PictureSet([np.zeros((1, 3, 31, 47))], data_range=1.0)
    with pytest.raises(InputError, match="slices"):
        metric.measure(volumes, volumes)
