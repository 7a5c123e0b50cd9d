"""LPIPS: its formula by hand, its trunks against torchvision's."""

import numpy as np
import pytest

from tests.network_weights import random_weights

torch = pytest.importorskip("torch", reason='pip install "cellsynth[learn]"')

from cellsynth.nets.arrays import fill, shapes_of
from cellsynth.nets.lpips import SMALLEST_PX, Lpips, distance


@pytest.fixture(scope="module", params=["alex", "vgg"])
def network(request):
    network = Lpips(request.param)
    fill(network, random_weights(shapes_of(network)))
    network.name = request.param
    return network


def test_layers_are_those_of_torchvision(network):
    pytest.importorskip("torchvision", reason="pip install torchvision", exc_type=ImportError)
    from torchvision.models import alexnet, vgg16

    theirs = (alexnet if network.name == "alex" else vgg16)(weights=None).features
    shapes = {f"features.{name}": tuple(tensor.shape) for name, tensor in theirs.state_dict().items()}
    assert {n: s for n, s in shapes_of(network).items() if n.startswith("features.")} == shapes
    theirs.load_state_dict(network.features.state_dict())
    x = torch.randn(1, 3, 67, 83)
    with torch.inference_mode():
        seen = network.seen((x * network.scale + network.shift + 1) / 2)
        for tap, ours in zip(network.taps, seen, strict=True):
            expected = torch.nn.functional.normalize(
                theirs[: tap + 1](x.clone()), dim=1
            )  # they work in place
            np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-5)


def test_a_distance_by_hand():
    """Every kernel is 0 but one that copies red: maps have length 1 where red is not dark."""
    network = Lpips("alex")
    weights = {name: np.zeros(shape, np.float32) for name, shape in shapes_of(network).items()}
    for i, layer in enumerate(network.features):
        if isinstance(layer, torch.nn.Conv2d):
            middle = tuple(n // 2 for n in layer.kernel_size)
            weights[f"features.{i}.weight"][(0, 0, *middle)] = 1
    for i in range(5):
        weights[f"heads.{i}.weight"][0, 0] = 2.0**i
    fill(network, weights)
    dark, bright = np.zeros((3, 47, 59)), np.ones((3, 47, 59))
    assert distance(network, dark, bright) == 1 + 2 + 4 + 8 + 16
    half = bright.copy()
    half[:, :, :20] = 0
    # The first layer looks at every fourth pixel: columns 2, 6, ... of 59 less padding are those at 3, 7, ...
    columns = np.arange(14) * 4 + 3
    first = float(network(*(torch.from_numpy(a)[None].float() for a in (bright, half)))[0, 0])
    assert first == pytest.approx((columns < 20).mean())


def test_equal_images_are_at_exactly_zero(network):
    image = np.random.default_rng(0).random((3, 41, 53))
    assert distance(network, image, image) == 0
    assert distance(network, np.zeros((3, 41, 53)), np.zeros((3, 41, 53))) == 0


def test_the_smallest_image_leaves_the_last_layer_a_pixel(network):
    n = SMALLEST_PX[network.name]
    rng = np.random.default_rng(0)
    assert distance(network, rng.random((3, n, n)), rng.random((3, n, n))) > 0
    with pytest.raises(RuntimeError, match="too small"):
        distance(network, np.zeros((3, n - 1, n)), np.ones((3, n - 1, n)))
