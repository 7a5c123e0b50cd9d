"""Inception-v3 against pytorch-fid and torch-fidelity with the same random weights.

`pip install --no-deps pytorch-fid==0.3.0 torch-fidelity==0.4.0` where torch and torchvision are.
"""

import numpy as np
import pytest

from cellsynth.evaluate.features import PictureSet, registry
from cellsynth.evaluate.realism import registry as realism
from tests.network_weights import random_weights

pytestmark = [pytest.mark.external, pytest.mark.slow]

torch = pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')

from cellsynth.nets.arrays import shapes_of
from cellsynth.nets.inception import InceptionV3


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A .pth file, as published ones are."""
    network = InceptionV3()
    arrays = random_weights(shapes_of(network))
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)
    return path


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    shapes = [(61, 407), (299, 299), (512, 64), (32, 32)]
    return [rng.integers(0, 256, (3, *shape), dtype=np.uint8) for shape in shapes]


def ours(weights, pictures, preprocessing):
    extract = registry.parse(
        {"kind": "inception", "weights": weights, "preprocessing": preprocessing}
    ).build()
    return extract(PictureSet(pictures, data_range=255)).values


def test_equals_pytorch_fid(weights, pictures, monkeypatch):
    theirs = pytest.importorskip(
        "pytorch_fid.inception", reason="pip install --no-deps pytorch-fid", exc_type=ImportError
    )
    monkeypatch.setattr(
        theirs, "load_state_dict_from_url", lambda *_, **__: torch.load(weights, weights_only=True)
    )
    network = theirs.InceptionV3().eval()
    with torch.inference_mode():
        expected = [network(torch.from_numpy(p)[None].float() / 255)[0][0, :, 0, 0].numpy() for p in pictures]
    np.testing.assert_allclose(ours(weights, pictures, "pytorch_fid"), expected, rtol=1e-4, atol=1e-5)


def test_equals_torch_fidelity(weights, pictures):
    theirs = pytest.importorskip(
        "torch_fidelity.feature_extractor_inceptionv3",
        reason="pip install --no-deps torch-fidelity",
        exc_type=ImportError,
    )
    network = theirs.FeatureExtractorInceptionV3(
        "ours", ["2048"], feature_extractor_weights_path=str(weights)
    )
    with torch.inference_mode():
        expected = [network(torch.from_numpy(p)[None])[0][0].numpy() for p in pictures]
    np.testing.assert_allclose(ours(weights, pictures, "tensorflow"), expected, rtol=1e-3, atol=1e-4)


def test_fid_and_kid_equal_torch_fidelity_on_the_same_features():
    fid = pytest.importorskip(
        "torch_fidelity.metric_fid", reason="pip install --no-deps torch-fidelity", exc_type=ImportError
    )
    from torch_fidelity.metric_kid import kid_features_to_metric

    from cellsynth.evaluate.realism._sets import Both

    rng = np.random.default_rng(0)
    x, y = np.abs(rng.normal(0.4, 0.3, (2, 300, 64)))
    y *= rng.uniform(0.8, 1.3, 64)
    both = Both(x, y, ("inception",) * 64)
    moments = [fid.fid_features_to_statistics(torch.from_numpy(side)) for side in (x, y)]
    expected = fid.fid_statistics_to_metric(*moments, verbose=False)["frechet_inception_distance"]
    assert realism.parse("fid").score(both) == pytest.approx(expected, rel=1e-6)
    a, b = (torch.from_numpy(side) for side in (x, y))
    one = kid_features_to_metric(a, b, kid_subset_size=300, kid_subsets=1, verbose=False)
    assert realism.parse("kid").score(both) == pytest.approx(one["kernel_inception_distance_mean"], rel=1e-6)
    many = kid_features_to_metric(a, b, kid_subset_size=100, kid_subsets=100, verbose=False)
    drawn = realism.parse({"kind": "kid", "subset_size": 100}).score(both)
    spread = many["kernel_inception_distance_std"] / 10
    assert drawn == pytest.approx(many["kernel_inception_distance_mean"], abs=6 * spread)
