"""Inception-v3: its size, its names, its resizing, and an independent network with the same weights."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.network_weights import random_weights

torch = pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')

from cellsynth.nets.arrays import fill, shapes_of
from cellsynth.nets.inception import (
    InceptionV3,
    as_pytorch_fid,
    as_tensorflow,
    features_of,
    max_pool,
    mean_pool,
)


@pytest.fixture(scope="module")
def network():
    network = InceptionV3()
    fill(network, random_weights(shapes_of(network)))
    return network


def test_has_the_published_number_of_weights():
    # 23 834 568 of the network with 1000 classes and no auxiliary head, and 2049 for each of eight more.
    assert sum(p.numel() for p in InceptionV3().parameters()) == 23_834_568 + 8 * 2049
    assert sum(p.numel() for p in InceptionV3(n_classes=1000).parameters()) == 23_834_568


def test_gives_2048_features_that_depend_on_no_other_image(network):
    rng = np.random.default_rng(0)
    images = [rng.random((3, *shape)) for shape in ((33, 47), (331, 299))]
    together = features_of(network, images, as_pytorch_fid)
    assert together.shape == (2, 2048)
    alone = features_of(network, images[1:], as_pytorch_fid)
    np.testing.assert_allclose(together[1:], alone, rtol=1e-4, atol=1e-4)


def test_average_does_not_count_what_is_outside():
    ones = torch.ones(1, 1, 5, 7)
    assert torch.equal(mean_pool(ones), ones)
    assert torch.equal(max_pool(-ones), -ones)


def test_resizing_by_hand():
    step = torch.zeros(1, 3, 2, 2)
    step[..., 1] = 1
    rows, corners = as_pytorch_fid(step)[0, 0], as_tensorflow(step)[0, 0]
    assert rows.shape == corners.shape == (299, 299)
    assert (rows[0, 0], rows[0, 149], rows[0, -1]) == (-1, pytest.approx(0, abs=1e-6), 1)
    at = 2 / 299 * np.arange(299)  # of 2 pixels, the second from 1 on
    np.testing.assert_allclose(corners[5], (255 * np.minimum(at, 1) - 128) / 128, atol=1e-5)


def test_an_image_of_the_right_size_is_not_resized():
    image = torch.rand(1, 3, 299, 299)
    torch.testing.assert_close(as_pytorch_fid(image), 2 * image - 1)
    torch.testing.assert_close(as_tensorflow(image), (255 * image - 128) / 128)


def test_equals_torchvision_with_the_pools_changed(network, monkeypatch):
    pytest.importorskip("torchvision", reason="pip install torchvision", exc_type=ImportError)
    from torchvision.models import inception, inception_v3

    theirs = inception_v3(weights=None, aux_logits=False, init_weights=False, num_classes=1008)
    theirs.load_state_dict(network.state_dict())  # strict: the names are the same
    theirs.eval()
    pool: Callable = inception.F.avg_pool2d

    class Functional:
        """Torch's functions, with the two pools of the FID."""

        def __getattr__(self, name):
            return getattr(torch.nn.functional, name)

        def avg_pool2d(self, x, **options):
            if x.shape[1] == 2048:
                return torch.nn.functional.max_pool2d(x, **options)
            return pool(x, **options, count_include_pad=False)

    monkeypatch.setattr(inception, "F", Functional())
    images = torch.rand(2, 3, 299, 299) * 2 - 1
    with torch.inference_mode():
        ours = network.logits(network(images))
        np.testing.assert_allclose(ours, theirs(images), rtol=1e-4, atol=1e-4)
        monkeypatch.undo()
        assert (ours - theirs(images)).abs().max() > 0.01  # the variations are not nothing
