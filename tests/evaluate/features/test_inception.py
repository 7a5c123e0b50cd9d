"""Features of Inception-v3: how images reach the network, and what is refused."""

import sys

import numpy as np
import pytest

from cellsynth.core.errors import InputError, MissingToolError
from cellsynth.evaluate.features import PictureSet, registry
from tests.network_weights import inception_file

torch = pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return inception_file(tmp_path_factory.mktemp("weights") / "inception.npz")


def features(weights, images, data_range, **fields):
    extract = registry.parse({"kind": "inception", "weights": weights, **fields}).build()
    return extract(PictureSet(images, data_range=data_range))


def test_each_image_has_2048_features_whatever_the_size_of_a_batch(weights):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (3, *shape), dtype=np.uint8) for shape in ((31, 47), (64, 33), (40, 40))]
    found = features(weights, images, 255, batch_size=2)
    assert found.values.shape == (3, 2048)
    assert found.components == ("inception",) * 2048
    one = features(weights, images, 255, batch_size=1)
    np.testing.assert_allclose(found.values, one.values, rtol=1e-4, atol=1e-4)
    other = features(weights, images[:1], 255, preprocessing="tensorflow")
    assert np.abs(other.values - found.values[:1]).max() > 0.01


def test_grey_stands_for_equal_channels_and_the_range_for_the_dtype(weights):
    levels = np.random.default_rng(0).integers(0, 256, (31, 47))
    grey = features(weights, [levels.astype(np.uint8)], 255).values
    rgb = features(weights, [np.stack([levels.astype(np.uint8)] * 3)], 255).values
    wide = features(weights, [(levels * 257).astype(np.uint16)], 65535).values
    floats = features(weights, [levels / 127.5 - 1], (-1.0, 1.0)).values
    for other in (rgb, wide, floats):
        np.testing.assert_allclose(other, grey, rtol=1e-4, atol=1e-4)


def test_volumes_and_other_channels_have_a_way_out(weights):
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="give their slices as images"):
        features(weights, [rng.random((1, 5, 31, 47))], 1.0)
    with pytest.raises(InputError, match="2 channels; give one channel"):
        features(weights, [rng.random((2, 31, 47))], 1.0)


def test_missing_weights_say_how_to_get_them():
    with pytest.raises(MissingToolError) as raised:
        registry.parse("inception").build()
    for part in (
        "inception: weights=FILE",
        "weights=fetch",
        "pt_inception-2015-12-05-6726825d.pth",
        "Apache-2.0",
    ):
        assert part in str(raised.value)


def test_missing_torch_says_how_to_install_it(monkeypatch, weights):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingToolError, match=r'pip install "cellsynth\[learn\]"'):
        registry.parse({"kind": "inception", "weights": weights}).build()


def test_weights_of_another_network_are_refused(tmp_path, weights):
    with np.load(weights) as arrays:
        kept = {name: arrays[name] for name in arrays.files if not name.startswith("Mixed_7c")}
    np.savez(tmp_path / "w.npz", **kept, **{"AuxLogits.fc.bias": np.zeros(1000)})
    with pytest.raises(
        InputError, match="45 of 472 arrays are missing .*1 do not belong to it .AuxLogits.fc.bias"
    ):
        registry.parse({"kind": "inception", "weights": tmp_path / "w.npz"}).build()


def test_nothing_is_fetched_but_on_request(monkeypatch, tmp_path, weights):
    monkeypatch.setenv("CELLSYNTH_CACHE", str(tmp_path))
    asked = []

    def no_network(request, **_):
        asked.append(request.full_url)
        raise OSError("no network")

    monkeypatch.setattr("cellsynth.io.fetch.urlopen", no_network)
    with pytest.raises(MissingToolError):
        registry.parse("inception").build()
    assert asked == []
    with pytest.raises(MissingToolError, match=f"no network.*put it at {tmp_path}"):
        registry.parse({"kind": "inception", "weights": "fetch"}).build()
    assert len(asked) == 1
